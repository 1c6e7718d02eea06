// One file for each entry, so that a page makes one request for each of script, worker and wasm.

import { readFile, rm, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { glueNames } from "./names.mjs";
import { dist, entries, inlined, present, source, templates, worker } from "./places.mjs";

function options({ dev }) {
  return {
    bundle: true,
    format: "esm",
    target: "es2022",
    tsconfig: path.join(templates, "tsconfig.json"),
    minify: !dev,
    sourcemap: dev ? "inline" : false,
    legalComments: "none",
    logLevel: "warning",
    plugins: dev ? [] : [glueNames],
  };
}

function entry(name, { dev }) {
  return build({
    ...options({ dev }),
    entryPoints: [path.join(source, `${name}.ts`)],
    outfile: path.join(dist, `${name}.js`),
    platform: name === "node" ? "node" : "neutral",
    external: name === "node" ? ["node:*"] : ["selkie", "abstract-level"],
  });
}

export async function bundle({ dev }) {
  await build({ ...options({ dev }), entryPoints: [worker], outfile: path.join(dist, "worker.js"), platform: "browser" });
  for (const name of present(entries, { dev })) await entry(name, { dev });
}

/** `inline` carries the wasm and the worker as text, so that it needs no file beside it. */
export async function bundleInline({ dev }) {
  await rm(inlined, { recursive: true, force: true });
  await mkdir(inlined, { recursive: true });
  const wasm = await readFile(path.join(dist, "selkie.wasm"), "base64");
  const text = await readFile(path.join(dist, "worker.js"), "utf8");
  const script = `export const wasmBase64 = ${JSON.stringify(wasm)};\nexport const workerText = ${JSON.stringify(text)};\n`;
  await writeFile(path.join(inlined, "inlined.js"), script);
  const types = "export declare const wasmBase64: string;\nexport declare const workerText: string;\n";
  await writeFile(path.join(inlined, "inlined.d.ts"), types);
  for (const name of present(["inline"], { dev })) await entry(name, { dev });
}
