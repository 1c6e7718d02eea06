/** The compiled engine: loaded once, whoever asks first; and once what few need of it. */

import init, { set_error_factory, take_error } from "#core";
import { SelkieError, fromPlatform, type ErrorDetails } from "./error.js";
import { linkLater } from "./linking.js";
import { attach } from "./memory.js";
import type { ErrorCode, OpenOptions } from "./types.js";

export type WasmSource = NonNullable<OpenOptions["wasm"]>;

type FindSource = () => WasmSource | Promise<WasmSource>;

let loading: Promise<void> | undefined;
let loadingLater: Promise<void> | undefined;
let findLater: FindSource | undefined;

/** Loads the engine, unless it is loaded already. The rest of it is where somebody said that it is, or else `beside`. */
export function loadEngine(source: FindSource, later: WasmSource | undefined, beside: FindSource): Promise<void> {
  if (later !== undefined) findLater = () => later;
  // Whoever needs it hears of it, and nobody else.
  if (later instanceof Promise) later.catch(() => {});
  findLater ??= beside;
  loading ??= load(source).catch((error: unknown) => {
    // The next one may have a better address.
    loading = undefined;
    throw fromPlatform(error, "UNAVAILABLE");
  });
  return loading;
}

/** Loads what exports, imports, followers and the changes since a version need, unless it is loaded already. */
export function loadLater(): Promise<void> {
  loadingLater ??= linkFound().catch((error: unknown) => {
    loadingLater = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SelkieError("UNAVAILABLE", `the rest of the engine cannot be loaded: ${reason}`, { cause: error });
  });
  return loadingLater;
}

async function linkFound(): Promise<void> {
  await linkLater(await findLater?.());
  // A response that was given would keep its bytes.
  findLater = undefined;
}

async function load(source: FindSource): Promise<void> {
  const { memory } = await init({ module_or_path: await source() });
  attach(memory);
  set_error_factory((code: ErrorCode, message: string, details: ErrorDetails) => new SelkieError(code, message, details));
}

/** The error of the last call that answered with a failure. */
export function takeError(): unknown {
  return take_error();
}
