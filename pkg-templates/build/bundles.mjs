// One file for each entry, so that a page makes one request for each of script, worker and wasm. What few pages need is
// in files of its own, which the page's script imports when it is needed.

import { readFile, rm, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { glue } from "./glue.mjs";
import { dist, entries, inlined, modules, present, rare, source, storages, templates } from "./places.mjs";

function options({ dev }) {
  return {
    bundle: true,
    format: "esm",
    target: "es2022",
    tsconfig: path.join(templates, "tsconfig.json"),
    minify: !dev,
    // Names that only the glue and what calls it have.
    mangleProps: dev ? undefined : /^(__wbg_ptr|__wrap|__destroy_into_raw|[a-z]+(_[a-z]+)+)$/,
    sourcemap: dev ? "inline" : false,
    legalComments: "none",
    logLevel: "warning",
    plugins: [glue],
  };
}

/** Leaves what is imported when it is needed in a file of its own. */
const apart = {
  name: "apart",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ kind, path: specifier }) => {
      return kind === "dynamic-import" ? { path: `./${path.basename(specifier)}`, external: true } : undefined;
    });
  },
};

function entry(name, { dev }) {
  const common = options({ dev });
  return build({
    ...common,
    plugins: name === "index" ? [...common.plugins, apart] : common.plugins,
    entryPoints: [path.join(source, `${name}.ts`)],
    outfile: path.join(dist, `${name}.js`),
    platform: name === "node" ? "node" : "neutral",
    external: name === "node" ? ["node:*"] : ["selkie", "abstract-level"],
  });
}

export async function bundle({ dev }) {
  const entryPoints = [path.join(storages, "worker.js"), ...rare];
  await build({ ...options({ dev }), entryPoints, outdir: dist, entryNames: "[name]", platform: "browser" });
  for (const name of present(entries, { dev })) await entry(name, { dev });
}

/** `inline` carries the wasm and the worker as text, so that it needs no file beside it. */
export async function bundleInline({ dev }) {
  await rm(inlined, { recursive: true, force: true });
  await mkdir(inlined, { recursive: true });
  const [wasm, later] = await Promise.all(modules.map((name) => readFile(path.join(dist, name), "base64")));
  const text = await readFile(path.join(dist, "worker.js"), "utf8");
  const texts = Object.entries({ wasmBase64: wasm, laterBase64: later, workerText: text });
  const lines = (line) => texts.map(line).join("\n");
  await writeFile(path.join(inlined, "inlined.js"), lines(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`));
  await writeFile(path.join(inlined, "inlined.d.ts"), lines(([name]) => `export declare const ${name}: string;`));
  for (const name of present(["inline"], { dev })) await entry(name, { dev });
}
