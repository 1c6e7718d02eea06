// Makes the npm package out of the compiled engine and the TypeScript in pkg-templates/src.
//
// `cargo xtask package` compiles the engine, runs wasm-bindgen, and then this: `node build.mjs [--dev | --areas]`.
//
//   target/package/core/   selkie.js, selkie.d.ts, selkie_bg.wasm: what wasm-bindgen wrote
//   target/package/inlined/  inlined.js: the wasm as base64 and the worker's text, for the entry `inline`
//   pkg/                   the package;  target/package/selkie-<version>.tgz: the same as npm packs it
//
// TypeScript imports the engine's glue as "#core" (`import init, { ... } from "#core"`; its `init` takes
// `{ module_or_path }`), the texts as "#inlined" (`import { wasmBase64, workerText } from "#inlined"`), and the hosts by
// their path (`../../src/storage/web/opfs.js`). tsconfig.json says where these are. An entry is src/<name>.ts, and the
// worker is src/storage/web/worker.js. An entry that does not exist is an error, except with `--dev`.
//
// `--areas` prints which part of the program has how many bytes of the engine that a page downloads.
// `--dev` leaves out wasm-opt, minification, the checks of the package and the limit on its size.

import { bundle, bundleInline } from "./bundles.mjs";
import { assemble, checkPackage, pack } from "./assemble.mjs";
import { declarations } from "./declarations.mjs";
import { reportSizes } from "./sizes.mjs";
import { optimize } from "./wasm.mjs";

const dev = process.argv.includes("--dev");
const areas = process.argv.includes("--areas");

async function step(name, work) {
  const start = performance.now();
  const result = await work();
  console.log(`${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return result;
}

try {
  await step("wasm", () => optimize({ dev, areas }));
  await step("bundles", async () => {
    await bundle({ dev });
    await bundleInline({ dev });
  });
  await step("types", () => declarations({ dev }));
  const version = await step("package", () => assemble({ dev }));
  const tarball = await step("tarball", () => pack(version));
  if (!dev) await step("publint and attw", () => checkPackage(tarball));
  await reportSizes({ limited: !dev });
} catch (error) {
  console.error(error.stack ?? String(error));
  process.exit(1);
}
