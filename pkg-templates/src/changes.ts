/** Watching: changes as they are committed, and those since a version. */

import type { CoreChanges, CoreDatabase, CoreWatch } from "#core";
import { INCLUDED, NAMES, NONE, boundsOf, flagOf, prefixBounds, type Bounds } from "./bounds.js";
import type { Codec } from "./encoding.js";
import { loadLater } from "./engine.js";
import { SelkieError, checkSignal, invalid, reportError } from "./error.js";
import { putTwo, secondBytes } from "./memory.js";
import { checkNames } from "./options.js";
import type { Space } from "./space.js";
import type { Change, Changes, ChangesOptions, Version, WatchOptions } from "./types.js";

const CHANGES_OPTIONS = ["prefix", "since", "live", "signal"];

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

function rangeOf<K, V>(space: Space<K, V>, options: WatchOptions<K>, others: readonly string[]): Bounds {
  checkNames("the options of a range", options, NAMES, others);
  const bounds = boundsOf(space.codecs.key, options, others);
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
  onError: (error: unknown) => void = reportError,
): () => void {
  if (typeof onError !== "function") throw invalid("onError is a function");
  const bounds = rangeOf(space, range, ["prefix"]);
  const iterator = new ChangesIterator(space, bounds, { since: undefined, live: true, signal: undefined });
  let stopped = false;
  const run = async (): Promise<void> => {
    for await (const { changes, version, time } of iterator) {
      if (stopped) return;
      try {
        listener(changes, { version, time });
      } catch (error) {
        reportError(error);
      }
    }
  };
  run().catch((error: unknown) => {
    const isEnd = stopped || space.connection.ended || isClosed(error);
    if (!isEnd) onError(error);
  });
  return () => {
    stopped = true;
    void iterator.return();
  };
}

function isClosed(error: unknown): boolean {
  return error instanceof SelkieError && error.code === "CLOSED";
}

export function changesOf<K, V>(space: Space<K, V>, options: ChangesOptions<K>): AsyncIterableIterator<Changes<K, V>> {
  const bounds = rangeOf(space, options, CHANGES_OPTIONS);
  const { since, signal } = options;
  const live = flagOf("live", options.live, true);
  if (since !== undefined && !(Number.isSafeInteger(since) && since >= 0))
    throw invalid(`${String(since)} is not a version`);
  if (signal !== undefined && typeof signal?.aborted !== "boolean") throw invalid("signal is an AbortSignal");
  return new ChangesIterator(space, bounds, { since, live, signal });
}

interface Wanted {
  readonly since: Version | undefined;
  readonly live: boolean;
  readonly signal: AbortSignal | undefined;
}

class ChangesIterator<K, V> implements AsyncIterableIterator<Changes<K, V>> {
  readonly #space: Space<K, V>;
  readonly #bounds: Bounds;
  readonly #decoder: Decoder<K, V>;
  #watch: CoreWatch | undefined;
  /** The engine's database that is watched. */
  #core: CoreDatabase;
  readonly #signal: AbortSignal | undefined;
  readonly #rows: AsyncGenerator<Changes<K, V>, void, undefined>;
  #ended = false;
  #wake = (): void => {};

  constructor(space: Space<K, V>, bounds: Bounds, { since, live, signal }: Wanted) {
    this.#space = space;
    this.#bounds = bounds;
    this.#decoder = new Decoder(space, bounds);
    this.#core = space.connection.core;
    // Watching begins now, so that nothing is missed before the first `next`, or while the past is read.
    this.#watch = live ? startWatch(space, bounds) : undefined;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#end);
    this.#rows = this.#read(since);
  }

  async next(): Promise<IteratorResult<Changes<K, V>, undefined>> {
    try {
      const { done, value } = await this.#rows.next();
      if (!done) return { done, value };
      this.#end();
      return { done: true, value: undefined };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Ends it at once, also while `next` waits. */
  async return(): Promise<IteratorResult<Changes<K, V>, undefined>> {
    this.#end();
    await this.#rows.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener("abort", this.#end);
    this.#wake();
    this.#watch?.free();
  };

  #goesOn(): boolean {
    checkSignal(this.#signal);
    return !this.#ended;
  }

  async *#read(since: Version | undefined): AsyncGenerator<Changes<K, V>, void, undefined> {
    let seen = since ?? 0;
    for (let past = since !== undefined; ; past = true) {
      try {
        for await (const changes of this.#readOn(past, seen)) {
          seen = changes.version;
          yield changes;
        }
        return;
      } catch (error) {
        seen = this.#watchAnew(error, seen);
      }
    }
  }

  /** The changes after a version, and those that come, as long as the engine's database is the same. */
  async *#readOn(past: boolean, since: Version): AsyncGenerator<Changes<K, V>, void, undefined> {
    let seen = since;
    if (past && this.#goesOn()) {
      for await (const changes of pastOf(this.#space, since, this.#decoder)) {
        if (!this.#goesOn()) return;
        seen = changes.version;
        yield changes;
      }
    }
    while (this.#watch && this.#goesOn()) {
      const row = this.#watch.next();
      if (!row) {
        await this.#wait(this.#watch.wait());
        continue;
      }
      const changes = this.#decoder.changes(row);
      if (changes.version > seen) yield changes;
    }
  }

  /** Goes on in the engine's database that has taken the place of the one before. Tells after which version. */
  #watchAnew(error: unknown, seen: Version): Version {
    const { connection } = this.#space;
    if (this.#ended || connection.ended || connection.core === this.#core) throw error;
    this.#core = connection.core;
    if (!this.#watch) return seen;
    const reported = Math.max(seen, this.#watch.version());
    if (reported > this.#core.published()) {
      throw new SelkieError("HISTORY_COLLECTED", "another database took the place of this one", { version: reported });
    }
    const watch = startWatch(this.#space, this.#bounds);
    this.#watch.free();
    this.#watch = watch;
    return reported;
  }

  /** Waits for a promise, or for the end. */
  async #wait(promise: Promise<unknown>): Promise<void> {
    const end = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([promise, end]);
  }
}

async function* pastOf<K, V>(
  space: Space<K, V>,
  since: Version,
  decoder: Decoder<K, V>,
): AsyncGenerator<Changes<K, V>, void, undefined> {
  await loadLater();
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
