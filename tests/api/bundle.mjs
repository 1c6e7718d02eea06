// Compiles a module of the package's sources that the package does not export, so that it can be tested by itself.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const build = createRequire(new URL("../../pkg-templates/build/package.json", import.meta.url));
const sources = new URL("../../pkg-templates/src/", import.meta.url);

export async function importSource(name) {
  const { outputFiles } = await build("esbuild").build({
    entryPoints: [fileURLToPath(new URL(name, sources))],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
