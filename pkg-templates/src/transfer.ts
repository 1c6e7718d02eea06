/** Exports and imports: a whole database as a stream of bytes, with progress. What is given is checked at once. */

import type { Connection } from "./connection.js";
import { loadLater } from "./engine.js";
import { checkSignal, invalid, scriptOf } from "./error.js";
import { checkNames } from "./options.js";
import type { Source } from "./transferring.js";
import type { TransferOptions } from "./types.js";

export type Importable = Blob | Uint8Array | ReadableStream<Uint8Array>;

async function load(): Promise<typeof import("./transferring.js")> {
  const [work] = await Promise.all([scriptOf(import("./transferring.js")), loadLater()]);
  return work;
}

/** Refuses options that are not those of an export. */
export function checkTransfer(options: TransferOptions): void {
  checkNames("the options of an export", options, ["onProgress", "signal"]);
  if (options.onProgress !== undefined && typeof options.onProgress !== "function")
    throw invalid("onProgress is a function");
}

export async function exportBlob(connection: Connection, options: TransferOptions): Promise<Blob> {
  checkSignal(options.signal);
  return (await load()).exportBlob(connection, options);
}

export function exportStream(connection: Connection, options: TransferOptions): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  load().then(
    ({ exportInto }) => exportInto(writable, connection, options),
    (error: unknown) => writable.abort(error),
  ).catch(() => {
    // Whoever read the stream has cancelled it.
  });
  return readable;
}

/** What has the engine read an export. */
export function importOf(
  from: Importable,
  options: TransferOptions,
): (run: (source: Source) => Promise<unknown>) => Promise<unknown> {
  const total = from instanceof Blob ? from.size : from instanceof Uint8Array ? from.length : undefined;
  const reader = streamOf(from).getReader();
  return async (run) => {
    try {
      const { importFrom } = await load();
      checkSignal(options.signal);
      return await importFrom(reader, total, options, run);
    } catch (error) {
      reader.cancel(error).catch(() => {
        // The stream is at an end of its own, and the first error says more.
      });
      throw error;
    }
  };
}

function streamOf(from: Importable): ReadableStream<Uint8Array> {
  if (from instanceof ReadableStream) {
    if (from.locked) throw invalid("somebody else reads the stream");
    return from;
  }
  if (from instanceof Blob) return from.stream();
  if (from instanceof Uint8Array) return new Blob([from as Uint8Array<ArrayBuffer>]).stream();
  throw invalid("an import is a Blob, a Uint8Array or a ReadableStream of them");
}
