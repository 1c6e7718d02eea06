/** The compiled engine: loaded once, whoever asks first. */

import init, { set_error_factory, take_error } from "#core";
import { SelkieError, fromPlatform, type ErrorDetails } from "./error.js";
import { attach } from "./memory.js";
import type { ErrorCode, OpenOptions } from "./types.js";

export type WasmSource = NonNullable<OpenOptions["wasm"]>;

let loading: Promise<void> | undefined;

/** Loads the engine, unless it is loaded already. */
export function loadEngine(source: () => WasmSource | Promise<WasmSource>): Promise<void> {
  loading ??= load(source).catch((error: unknown) => {
    // The next one may have a better address.
    loading = undefined;
    throw fromPlatform(error, "UNAVAILABLE");
  });
  return loading;
}

async function load(source: () => WasmSource | Promise<WasmSource>): Promise<void> {
  const { memory } = await init({ module_or_path: await source() });
  attach(memory);
  set_error_factory((code: ErrorCode, message: string, details: ErrorDetails) => new SelkieError(code, message, details));
}

/** The error of the last call that answered with a failure. */
export function takeError(): unknown {
  return take_error();
}
