/** Bundles the page, and each peer by itself as an app would ship it: minified, with its worker and wasm beside it. */
import { cp, mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { PACKAGE, SITE, WEB } from "./places.js";

/** Files of the package that its script loads by URL. */
const PACKAGE_ASSETS = ["worker.js", "selkie.wasm"];

/** @param {import("./peers.js").PeerInfo[]} peers */
export async function buildSite(peers) {
  await rm(SITE, { recursive: true, force: true });
  await bundle({ main: path.join(WEB, "page/main.ts") }, path.join(SITE, "page"));
  await cp(path.join(WEB, "page/index.html"), path.join(SITE, "index.html"));
  for (const peer of peers) {
    await buildPeer(peer);
  }
}

/** @param {import("./peers.js").PeerInfo} peer */
async function buildPeer(peer) {
  const folder = path.join(SITE, "peers", peer.id);
  await mkdir(folder, { recursive: true });
  await bundle({ index: path.join(WEB, "peers", `${peer.id}.ts`) }, folder);
  if (peer.worker !== undefined) {
    await bundle({ worker: path.join(WEB, "peers", peer.worker) }, folder);
  }
  const files = peer.ours
    ? PACKAGE_ASSETS.map((name) => path.join(PACKAGE, "dist", name))
    : peer.assets.map((name) => path.join(WEB, "node_modules", name));
  for (const file of files) {
    await cp(file, path.join(folder, path.basename(file)));
  }
}

/**
 * @param {Record<string, string>} entryPoints
 * @param {string} outdir
 */
async function bundle(entryPoints, outdir) {
  await build({
    entryPoints,
    outdir,
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    logLevel: "error",
    // PGlite and emscripten ask for Node's modules where they find themselves in Node.
    external: ["node:*", "module", "fs", "fs/promises", "path", "url", "util", "crypto", "worker_threads"],
    alias: {
      selkie: path.join(PACKAGE, "dist/index.js"),
      events: path.join(WEB, "node_modules/events/events.js"),
      buffer: path.join(WEB, "node_modules/buffer/index.js"),
    },
  });
}
