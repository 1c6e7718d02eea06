/**
 * The engine's two modules as the one that the glue takes them for: what every page needs, and what is loaded when it is
 * needed first (pkg-templates/build/split.mjs). The second one uses the memory and the functions of the first.
 */

import { guarded, type Kinds } from "./guard.js";
import type { WasmSource } from "./engine.js";

interface First {
  readonly exports: WebAssembly.Exports;
  /** What the glue calls. */
  readonly wasm: WebAssembly.Exports;
  readonly kinds: Kinds;
  readonly imports: () => WebAssembly.Imports;
}

let first: First | undefined;

/** The exports for the glue, of the module that is there from the beginning. */
export function link(exports: WebAssembly.Exports, kinds: Kinds, imports: () => WebAssembly.Imports): WebAssembly.Exports {
  first = { exports, wasm: guarded(exports, kinds), kinds, imports };
  return first.wasm;
}

/** Adds those of the other one. It fails if the two are not of one build. */
export async function linkLater(source: WasmSource | undefined): Promise<void> {
  if (!first || source === undefined) throw new Error("the engine is not loaded");
  const given = await source;
  const module = given instanceof WebAssembly.Module ? given : await WebAssembly.compile(await bytesOf(given));
  const { exports } = await WebAssembly.instantiate(module, { ...first.imports(), base: first.exports });
  Object.assign(first.wasm, guarded(exports, first.kinds));
}

async function bytesOf(given: URL | string | Response | BufferSource): Promise<BufferSource> {
  if (ArrayBuffer.isView(given) || given instanceof ArrayBuffer) return given;
  // A response can be read once, and this may have to be done again.
  const response = given instanceof Response ? given.clone() : await fetch(given as URL | string);
  if (!response.ok) throw new Error(`${response.url} answers with ${response.status}`);
  return response.arrayBuffer();
}
