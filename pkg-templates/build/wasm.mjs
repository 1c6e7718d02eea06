// The compiled engine, as small and fast as wasm-opt makes it.

import { cp, mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { core, dist, pkg, tool } from "./places.mjs";

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

export async function optimize({ dev }) {
  await rm(pkg, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const input = path.join(core, "selkie_bg.wasm");
  const output = path.join(dist, "selkie.wasm");
  if (dev) return cp(input, output);
  await tool("wasm-opt", ["-O3", ...FEATURES, "--strip-debug", "--strip-producers", input, "-o", output]);
}
