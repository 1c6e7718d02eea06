// The compiled engine, as small and fast as wasm-opt makes it.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { printAreas } from "./areas.mjs";
import { Module } from "./module.mjs";
import { shorten } from "./glue.mjs";
import { nameByLikeness } from "./order.mjs";
import { core, dist, linked, mangled, modules, pkg, target, tool } from "./places.mjs";
import { split } from "./split.mjs";
import { removeUnreachable } from "./unreachable.mjs";
import { LINKING } from "./relocations.mjs";

// What rustc lets LLVM use, and every browser with OPFS has.
const FEATURES = [
  "--enable-bulk-memory",
  "--enable-bulk-memory-opt",
  "--enable-call-indirect-overlong",
  "--enable-multivalue",
  "--enable-mutable-globals",
  "--enable-nontrapping-float-to-int",
  "--enable-reference-types",
  "--enable-sign-ext",
];

const STRIP = ["--strip-debug", "--strip-producers", "--strip-target-features"];

/** A module without anything: with `--dev` all is in the first. */
const EMPTY = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** What is loaded when it is asked for: exports, imports, the changes since a version, and following another tab. */
const LATER = /^(restore_core|coredatabase_(export_to|changes_since|refresh)|corechanges_next|__wbg_corechanges_free)_/;

const LATER_COUNT = 6;

/** With `areas` it prints which part of the program has how many bytes. */
export async function optimize({ dev, areas }) {
  await rm(pkg, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const input = path.join(core, "selkie_bg.wasm");
  if (dev) {
    await writeFile(path.join(dist, modules[1]), EMPTY);
    return cp(input, path.join(dist, modules[0]));
  }
  const module = new Module(await readFile(input));
  const others = { linked: new Module(await readFile(linked)), mangled: new Module(await readFile(mangled)) };
  const exported = others.linked.exports().filter(({ name }) => LATER.test(name));
  if (exported.length !== LATER_COUNT) throw new Error(`the engine has ${exported.length} exports for later, not ${LATER_COUNT}`);
  const later = removeUnreachable(module, { ...others, isLater: (name) => LATER.test(name) });
  if (areas) printAreas(module, later);
  module.removeCustom(LINKING);
  shorten(module);
  const parts = await split(module, { later, features: FEATURES });
  for (const [place, part] of parts.entries()) await optimizeFile(part, modules[place]);
}

async function optimizeFile(input, name) {
  const optimized = path.join(target, name);
  const optimize = ["-Os", "--low-memory-unused", ...FEATURES, ...STRIP];
  // What LLVM has structured for speed is structured anew for size, which costs no time that was measured.
  const restructure = ["--flatten", "--rereloop", "-Os", "--converge"];
  await tool("wasm-opt", [...restructure, ...optimize, input, "-o", optimized]);
  const ordered = new Module(await readFile(optimized));
  nameByLikeness(ordered);
  await writeFile(optimized, ordered.bytes());
  await tool("wasm-opt", [...optimize, "--reorder-functions-by-name", optimized, "-o", path.join(dist, name)]);
}
