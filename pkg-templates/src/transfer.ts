/** Exports and imports: a whole database as a stream of bytes, with progress. */

import type { Connection } from "./connection.js";
import { loadLater } from "./engine.js";
import { checkSignal, fromPlatform, invalid } from "./error.js";
import { checkNames } from "./options.js";
import type { TransferOptions } from "./types.js";

const FORMAT = "application/octet-stream";

/** What the engine calls with each piece; it waits for the answer before it goes on. */
type Take = (piece: Uint8Array) => unknown;

function exportTo(connection: Connection, options: TransferOptions, take: Take): Promise<unknown> {
  const { onProgress, signal } = options;
  let bytes = 0;
  checkSignal(signal);
  const pass = async (piece: Uint8Array): Promise<void> => {
    checkSignal(signal);
    bytes += piece.length;
    await take(piece);
    onProgress?.({ bytes, total: undefined });
  };
  return withOwnErrors(pass, async (guarded) => {
    await loadLater();
    checkSignal(signal);
    // It may have been closed meanwhile, or another engine taken the place.
    connection.check();
    return connection.core.export_to(guarded);
  });
}

/** Has the engine call a function, and throws what that threw: the engine keeps no more of it than the text. */
async function withOwnErrors<A, B>(
  call: (argument: A) => Promise<B>,
  run: (guarded: (argument: A) => Promise<B>) => Promise<unknown>,
): Promise<unknown> {
  let failure: { error: unknown } | undefined;
  try {
    // Not at once: what is called may use the engine, which is in the middle of a call.
    return await run((argument) =>
      Promise.resolve(argument).then(call).catch((error: unknown) => {
        failure = { error };
        throw error;
      }),
    );
  } catch (error) {
    throw failure === undefined ? error : fromPlatform(failure.error, "IO");
  }
}

/** Refuses options that are not those of an export. */
export function checkTransfer(options: TransferOptions): void {
  checkNames("the options of an export", options, ["onProgress", "signal"]);
  if (options.onProgress !== undefined && typeof options.onProgress !== "function")
    throw invalid("onProgress is a function");
}

export async function exportBlob(connection: Connection, options: TransferOptions): Promise<Blob> {
  let parts: BlobPart[] = [];
  let gathered = 0;
  await exportTo(connection, options, (piece) => {
    parts.push(piece as Uint8Array<ArrayBuffer>);
    gathered += piece.length;
    // A blob's bytes need not be in the page's memory.
    if (gathered > 8 << 20) [parts, gathered] = [[new Blob(parts)], 0];
  });
  return new Blob(parts, { type: FORMAT });
}

export function exportStream(connection: Connection, options: TransferOptions): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  exportTo(connection, options, (piece) => writer.write(piece)).then(
    () => writer.close(),
    (error: unknown) => writer.abort(error),
  ).catch(() => {
    // Whoever read the stream has cancelled it.
  });
  return readable;
}

export type Importable = Blob | Uint8Array | ReadableStream<Uint8Array>;

type Source = (length: number) => Promise<Uint8Array>;

/** What has the engine read an export, which is checked at once. */
export function importOf(
  from: Importable,
  options: TransferOptions,
): (run: (source: Source) => Promise<unknown>) => Promise<unknown> {
  const total = from instanceof Blob ? from.size : from instanceof Uint8Array ? from.length : undefined;
  const reader = streamOf(from).getReader();
  return async (run) => {
    try {
      return await withOwnErrors(sourceOf(reader, total, options), run);
    } catch (error) {
      reader.cancel(error).catch(() => {
        // The stream is at an end of its own, and the first error says more.
      });
      throw error;
    }
  };
}

/** Hands out an export's bytes in pieces of the length that the engine asks for; shorter only at the end. */
function sourceOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  total: number | undefined,
  options: TransferOptions,
): Source {
  const pieces: Uint8Array[] = [];
  let held = 0;
  let bytes = 0;
  return async (length) => {
    while (held < length) {
      checkSignal(options.signal);
      const { done, value } = await reader.read();
      if (done) break;
      if (!(value instanceof Uint8Array)) throw invalid("the stream has something else than Uint8Arrays");
      pieces.push(value);
      held += value.length;
      bytes += value.length;
      options.onProgress?.({ bytes, total });
    }
    const taken = take(pieces, Math.min(held, length));
    held -= taken.length;
    return taken;
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

/** Takes bytes from the front of the pieces. */
function take(pieces: Uint8Array[], length: number): Uint8Array {
  const taken = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const piece = pieces[0] as Uint8Array;
    const part = piece.subarray(0, length - at);
    taken.set(part, at);
    at += part.length;
    if (part.length === piece.length) pieces.shift();
    else pieces[0] = piece.subarray(part.length);
  }
  return taken;
}
