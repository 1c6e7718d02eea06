// The package's .d.ts: tsc checks everything and writes them, and those that an entry leads to are taken.

import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { core, dist, entries, present, root, source, templates, tool, types } from "./places.mjs";

const IMPORT = /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(["'])((?:\.\.?\/|#)[^"']+)\2/g;

export async function declarations({ dev }) {
  await rm(types, { recursive: true, force: true });
  const emit = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--rootDir", root, "--outDir", types];
  await tool("tsc", ["--project", path.join(templates, "tsconfig.json"), ...emit]);
  const taken = new Map();
  for (const name of present([...entries, "inline"], { dev })) await take(emitted(path.join(source, `${name}.ts`)), taken);
}

/** Where tsc writes the declarations of a source file. */
function emitted(file) {
  return path.join(types, path.relative(root, file)).replace(/\.[jt]s$/, ".d.ts");
}

/** Copies a declaration file and what it imports into dist, flat, and returns its new name. */
async function take(file, taken) {
  const known = taken.get(file);
  if (known !== undefined) return known;
  const name = flatName(file, taken);
  taken.set(file, name);
  const text = await readFile(file, "utf8");
  const names = new Map();
  for (const [, , , specifier] of text.matchAll(IMPORT)) {
    const imported = await take(resolve(file, specifier), taken);
    names.set(specifier, `./${imported.replace(/\.d\.ts$/, ".js")}`);
  }
  await mkdir(dist, { recursive: true });
  const flat = text.replace(IMPORT, (_, before, quote, specifier) => `${before}${quote}${names.get(specifier)}${quote}`);
  await writeFile(path.join(dist, name), flat);
  return name;
}

function flatName(file, taken) {
  const name = file === path.join(core, "selkie.d.ts") ? "core.d.ts" : path.basename(file);
  if ([...taken.values()].includes(name)) throw new Error(`two files of declarations would both be named ${name}`);
  return name;
}

function resolve(file, specifier) {
  if (specifier === "#core") return path.join(core, "selkie.d.ts");
  const base = path.resolve(path.dirname(file), specifier);
  const candidates = [base.replace(/\.[jt]s$/, ".d.ts"), `${base}.d.ts`];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) throw new Error(`${file} imports ${specifier}, which has no declarations`);
  return found;
}
