// The compiled engine, as small and fast as wasm-opt makes it.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { withoutPanics } from "./panics.mjs";
import { core, dist, pkg, target, tool } from "./places.mjs";

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
  const trapping = path.join(target, "trapping.wasm");
  await writeFile(trapping, withoutPanics(await readFile(input)));
  await tool("wasm-opt", ["-Os", "--low-memory-unused", ...FEATURES, ...STRIP, trapping, "-o", output]);
}
