// What is changed in the glue between the wasm and TypeScript: the exports are guarded (see src/guard.ts) and come from two
// modules (see src/linking.ts); what is imported and exported has short names, because the long ones would be in both files
// of the download; and what it has for older browsers goes.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { core, source } from "./places.mjs";

// The TypeScript uses it by its name.
const KEPT = "memory";

/** What the imports are imported from, which stands beside each of them. */
const GLUE = "./selkie_bg.js";
const SHORT_GLUE = "$";

const imports = new Map();
const exports = new Map();

function short(names, name) {
  if (!names.has(name)) names.set(name, `$${names.size.toString(36)}`);
  return names.get(name);
}

/** Renames in a module, and remembers how. */
export function shorten(module) {
  module.renameImports((from) => (from === GLUE ? SHORT_GLUE : from), (name) => short(imports, name));
  module.renameExports((name) => (name === KEPT ? name : short(exports, name)));
}

/** In the glue an import is a property of the object that it passes, and an export one of `wasm`. */
function renameGlue(text) {
  const imported = text.replace(/^(\s+)(\w+)(?=: )/gm, (line, space, name) => (imports.has(name) ? space + imports.get(name) : line));
  const from = imports.size > 0 ? SHORT_GLUE : GLUE;
  const placed = imported.replace(`"${GLUE}"`, () => `"${from}"`);
  return placed.replace(/\bwasm\.(\w+)/g, (use, name) => (exports.has(name) ? `wasm.${exports.get(name)}` : use));
}

const EXPORTED = "wasm = instance.exports;";

/**
 * Has the glue use guarded exports. A closure is called by the event loop, but for the one of `new Promise`, which is called
 * at once.
 */
function guardGlue(text) {
  if (text.split(EXPORTED).length !== 2) throw new Error(`the glue is expected to say once: ${EXPORTED}`);
  if (/\bmakeClosure\(/.test(text)) throw new Error("the glue has closures of another kind than `makeMutClosure`");
  const used = new Set(Array.from(text.matchAll(/\bwasm\.(\w+)/g), ([, name]) => name));
  const later = new Set(Array.from(text.matchAll(/makeMutClosure\(arg0, arg1, (\w+)\)/g), ([, name]) => name));
  const isClosure = (name) => name.includes("__closures__");
  const isHelper = (name) => /^__(wbindgen|externref)/.test(name) || (isClosure(name) && !later.has(name));
  const isUnattended = (name) => later.has(name) || /^__wbg_\w+_free$/.test(name);
  const list = (matches) => JSON.stringify(Array.from(used).filter(matches).map((name) => exports.get(name) ?? name));
  const kinds = `{ helpers: ${list(isHelper)}, unattended: ${list(isUnattended)} }`;
  const linking = JSON.stringify(path.join(source, "linking.ts"));
  return `import { link } from ${linking};\n${text.replace(EXPORTED, `wasm = link(instance.exports, ${kinds}, __wbg_get_imports);`)}`;
}

/** What a browser without newer features needs, none of which could load the engine, and what nothing here uses. */
const NEEDLESS = [
  /\(typeof FinalizationRegistry === 'undefined'\)\s+\? \{ register: \(\) => \{\}, unregister: \(\) => \{\} \}\s+:(?= new )/g,
  /^if \(!\('encodeInto' in cachedTextEncoder\)\) \{$.*?^\}$/gms,
  /^if \(Symbol\.dispose\) .*$/gm,
  / Falling back to `WebAssembly\.instantiate` which is slower\. Original error:\\n/,
  / else \{\s+console\.warn\('using deprecated parameters [^}]*\}/g,
];

function shortenGlue(text) {
  return NEEDLESS.reduce((left, needless) => {
    if (left.search(needless) < 0) throw new Error(`the glue is expected to have ${needless.source}`);
    return left.replace(needless, "");
  }, text);
}

/** The plugin of esbuild that changes the glue. In the wasm the names are the short ones already, if they were shortened. */
export const glue = {
  name: "glue",
  setup(build) {
    build.onLoad({ filter: /selkie\.js$/ }, async ({ path: file }) => {
      if (file !== path.join(core, "selkie.js")) return undefined;
      return { contents: renameGlue(shortenGlue(guardGlue(await readFile(file, "utf8")))), loader: "js" };
    });
  },
};
