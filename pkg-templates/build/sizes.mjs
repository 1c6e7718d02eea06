// What a page downloads, compressed as a server sends it. It is what opening a database takes that is in the private file
// system; what is imported when it is needed is printed after it.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { dist, modules, rare } from "./places.mjs";

// What it may grow to. The aim is 100 kB.
const LIMIT_BYTES = 121_000;
const PAGE = ["index.js", "worker.js", modules[0]];

async function size(name) {
  const bytes = await readFile(path.join(dist, name));
  return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

/** What a source file is named as a script. */
const bundled = (file) => path.basename(file).replace(/\.ts$/, ".js");

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

function line({ name, raw, gzip }) {
  return `  ${name.padEnd(14)}${kilobytes(gzip).padStart(10)} gzip ${kilobytes(raw).padStart(11)} raw`;
}

/** Prints the sizes of one build, and fails when a page would download more than the limit. */
export async function reportSizes({ limited }) {
  const sizes = await Promise.all(PAGE.map(size));
  const sum = (key) => sizes.reduce((total, file) => total + file[key], 0);
  const all = { name: "a page", raw: sum("raw"), gzip: sum("gzip") };
  for (const file of [...sizes, all]) console.log(line(file));
  for (const file of await Promise.all([modules[1], ...rare.map(bundled)].map(size))) console.log(`${line(file)}, when it is needed`);
  if (limited && all.gzip > LIMIT_BYTES) {
    throw new Error(`a page downloads ${kilobytes(all.gzip)} gzip, more than the limit of ${kilobytes(LIMIT_BYTES)}`);
  }
}
