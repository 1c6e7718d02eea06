// The compiled engine, as small and fast as wasm-opt makes it.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { Module } from "./module.mjs";
import { shorten } from "./glue.mjs";
import { nameByLikeness } from "./order.mjs";
import { isEmptied, removePanics } from "./panics.mjs";
import { core, dist, linked, mangled, pkg, target, tool } from "./places.mjs";
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

export async function optimize({ dev }) {
  await rm(pkg, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const input = path.join(core, "selkie_bg.wasm");
  const output = path.join(dist, "selkie.wasm");
  if (dev) return cp(input, output);
  const module = new Module(await readFile(input));
  removePanics(module);
  const others = { linked: new Module(await readFile(linked)), mangled: new Module(await readFile(mangled)) };
  removeUnreachable(module, { ...others, isEmptied });
  module.removeCustom(LINKING);
  shorten(module);
  const reduced = path.join(target, "reduced.wasm");
  await writeFile(reduced, module.bytes());
  const optimized = path.join(target, "optimized.wasm");
  const optimize = ["-Os", "--low-memory-unused", ...FEATURES, ...STRIP];
  // What LLVM has structured for speed is structured anew for size, which costs no time that was measured.
  const restructure = ["--flatten", "--rereloop", "-Os", "--converge"];
  await tool("wasm-opt", [...restructure, ...optimize, reduced, "-o", optimized]);
  const ordered = new Module(await readFile(optimized));
  nameByLikeness(ordered);
  await writeFile(optimized, ordered.bytes());
  await tool("wasm-opt", [...optimize, "--reorder-functions-by-name", optimized, "-o", output]);
}
