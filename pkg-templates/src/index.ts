/**
 * Selkie in a browser.
 *
 * @packageDocumentation
 */

import { createApi } from "./api.js";
import { browserPlatform } from "./platform-browser.js";

export const { open, destroy, databases, restore, readFiles, writeFiles, requestPersistence } = createApi(
  browserPlatform({
    wasm: () => new URL("./selkie.wasm", import.meta.url),
    wasmLater: () => new URL("./selkie-later.wasm", import.meta.url),
    worker: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
  }),
);

export * from "./exports.js";
