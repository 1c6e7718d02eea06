// Short names for what the wasm and its glue import and export: the long ones would be in both files of the download.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { core } from "./places.mjs";

// The TypeScript uses it by its name.
const KEPT = "memory";

const imports = new Map();
const exports = new Map();

function short(names, name) {
  if (!names.has(name)) names.set(name, `$${names.size.toString(36)}`);
  return names.get(name);
}

/** Renames in a module, and remembers how. */
export function shorten(module) {
  module.renameImports((name) => short(imports, name));
  module.renameExports((name) => (name === KEPT ? name : short(exports, name)));
}

/** In the glue an import is a property of the object that it passes, and an export one of `wasm`. */
function renameGlue(text) {
  const imported = text.replace(/^(\s+)(\w+)(?=: )/gm, (line, space, name) => (imports.has(name) ? space + imports.get(name) : line));
  return imported.replace(/\bwasm\.(\w+)/g, (use, name) => (exports.has(name) ? `wasm.${exports.get(name)}` : use));
}

/** The plugin of esbuild that renames in the glue as it was done in the wasm. */
export const glueNames = {
  name: "glue-names",
  setup(build) {
    build.onLoad({ filter: /selkie\.js$/ }, async ({ path: file }) => {
      if (file !== path.join(core, "selkie.js")) return undefined;
      return { contents: renameGlue(await readFile(file, "utf8")), loader: "js" };
    });
  },
};
