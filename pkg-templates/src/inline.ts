/**
 * Selkie in one file: the engine and the worker are inside, for build tools that do not copy files and for CDNs. The
 * worker starts from a blob, which a content security policy has to allow (`worker-src blob:`).
 *
 * @packageDocumentation
 */

import { laterBase64, wasmBase64, workerText } from "#inlined";
import { createApi } from "./api.js";
import { browserPlatform } from "./platform-browser.js";

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function worker(): Worker {
  const address = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
  try {
    return new Worker(address, { type: "module" });
  } finally {
    // The worker has been told where its text is; giving the address back later would keep the text for ever.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}

export const { open, destroy, databases, restore, readFiles, writeFiles, requestPersistence } = createApi(
  browserPlatform({ wasm: () => decode(wasmBase64), wasmLater: () => decode(laterBase64), worker }),
);

export * from "./exports.js";
