/** Watching: changes as they are committed, and those since a version. */

import type { CoreChanges, CoreWatch } from "#core";
import { INCLUDED, NONE, boundsOf, prefixBounds, type Bounds } from "./bounds.js";
import type { Codec } from "./encoding.js";
import { SelkieError, checkSignal, invalid } from "./error.js";
import { putTwo, secondBytes } from "./memory.js";
import type { Space } from "./space.js";
import type { Change, Changes, ChangesOptions, Version, WatchOptions } from "./types.js";

const OTHERS = ["prefix", "since", "live", "signal"];

type Row = unknown[];

/** What decodes the rows of a keyspace, leaving out what is not in the range. */
class Decoder<K, V> {
  readonly #space: Space<K, V>;
  readonly #name: string;
  readonly #bounds: Bounds;

  constructor(space: Space<K, V>, bounds: Bounds) {
    this.#space = space;
    this.#name = "name" in space && space.number() !== 0 ? String(space.name) : "default";
    this.#bounds = bounds;
  }

  changes(row: Row): Changes<K, V> {
    const [version, time, ...cells] = row as [Version, number, ...(Uint8Array | undefined)[]];
    const changes: Change<K, V>[] = [];
    for (let at = 0; at < cells.length; at += 2) {
      const key = cells[at] as Uint8Array;
      const value = cells[at + 1];
      if (isWithin(key, this.#bounds)) changes.push(this.#change(key, value));
    }
    return { version, time: new Date(time), changes };
  }

  #change(key: Uint8Array, value: Uint8Array | undefined): Change<K, V> {
    const { codecs } = this.#space;
    return {
      keyspace: this.#name,
      key: decode(codecs.key, key),
      type: value === undefined ? "delete" : "set",
      value: value === undefined ? undefined : decode(codecs.value, value),
    };
  }
}

function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return codec.decode(bytes);
}

function rangeOf<K, V>(space: Space<K, V>, options: WatchOptions<K>): Bounds {
  const bounds = boundsOf(space.codecs.key, options, OTHERS);
  if (options.prefix === undefined) return bounds;
  if (bounds.low !== NONE || bounds.high !== NONE) throw invalid("a range has a prefix or bounds, not both");
  return prefixBounds(space.codecs.key, options.prefix);
}

function startWatch<K, V>(space: Space<K, V>, bounds: Bounds): CoreWatch {
  space.connection.check();
  const number = space.number();
  const lowBytes = putTwo(bounds.lowKey, bounds.highKey);
  return space.connection.core.watch(number, bounds.low, lowBytes, bounds.high, secondBytes);
}

export function watchRange<K, V>(
  space: Space<K, V>,
  range: WatchOptions<K>,
  listener: (changes: readonly Change<K, V>[], at: { version: Version; time: Date }) => void,
): () => void {
  const bounds = rangeOf(space, range);
  const watch = startWatch(space, bounds);
  const decoder = new Decoder(space, bounds);
  let stopped = false;
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    watch.free();
  };
  const deliver = (row: Row): void => {
    const { changes, version, time } = decoder.changes(row);
    try {
      listener(changes, { version, time });
    } catch (error) {
      reportError(error);
    }
  };
  const run = async (): Promise<void> => {
    while (!stopped) {
      const row = watch.next();
      if (row) deliver(row);
      else await watch.wait();
    }
  };
  run().catch((error: unknown) => {
    const isEnd = stopped || space.connection.ended || (error instanceof SelkieError && error.code === "CLOSED");
    stop();
    if (!isEnd) reportError(error);
  });
  return stop;
}

/** Reports like an error that nobody caught, where nobody waits for an answer. */
function reportError(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

export async function* changesOf<K, V>(
  space: Space<K, V>,
  options: ChangesOptions<K>,
): AsyncGenerator<Changes<K, V>, void, undefined> {
  const { since, live = true, signal } = options;
  const bounds = rangeOf(space, options);
  const decoder = new Decoder(space, bounds);
  checkSignal(signal);
  // Watching begins before the past is read, so that nothing is missed in between.
  const watch = live ? startWatch(space, bounds) : undefined;
  try {
    let seen = since ?? 0;
    if (since !== undefined) {
      for await (const changes of pastOf(space, since, decoder)) {
        seen = changes.version;
        yield changes;
        checkSignal(signal);
      }
    }
    while (watch) {
      for (let row = watch.next(); row; row = watch.next()) {
        const changes = decoder.changes(row);
        if (changes.version > seen) yield changes;
        checkSignal(signal);
      }
      await untilAborted(watch.wait(), signal);
    }
  } finally {
    watch?.free();
  }
}

async function* pastOf<K, V>(
  space: Space<K, V>,
  since: Version,
  decoder: Decoder<K, V>,
): AsyncGenerator<Changes<K, V>, void, undefined> {
  const past = (await space.connection.core.changes_since(space.number(), since)) as CoreChanges;
  try {
    for (let row = (await past.next()) as Row | undefined; row; row = (await past.next()) as Row | undefined) {
      const changes = decoder.changes(row);
      if (changes.changes.length > 0) yield changes;
    }
  } finally {
    past.free();
  }
}

/** Waits for a promise, or for the signal, which leaves no listener behind. */
async function untilAborted(promise: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await promise;
    return;
  }
  let abort = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
    signal.addEventListener("abort", abort);
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
  checkSignal(signal);
}

function isWithin(key: Uint8Array, { low, lowKey, high, highKey }: Bounds): boolean {
  const fromLow = low === NONE ? 1 : compare(key, lowKey);
  const toHigh = high === NONE ? -1 : compare(key, highKey);
  return (fromLow > 0 || (fromLow === 0 && low === INCLUDED)) && (toHigh < 0 || (toHigh === 0 && high === INCLUDED));
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
