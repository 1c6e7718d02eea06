/** Ranges that are read lazily, in portions that the engine packs into one buffer each. */

import type { CoreReader } from "#core";
import { takeError } from "./engine.js";
import { EXCLUDED, type Bounds } from "./bounds.js";
import type { Codec } from "./encoding.js";
import { packed, putTwo, secondBytes, type Packed } from "./memory.js";
import { decodeIn, isForeign } from "./reading.js";
import { decodeUtf8 } from "./encoding-utf8.js";
import type { Results } from "./types.js";

const REVERSE = 1;
const WITHOUT_VALUES = 2;
const MORE = 1;
const ASCII = 2;
const FAILED = 0xffffffff;
/** The engine counts in 32 bits, and has fewer entries than that. */
const MOST_ENTRIES = FAILED - 1;

/** The first portion is small, because many ranges are not read to their end. */
const FIRST_PORTION = 128;
const LARGEST_PORTION = 8192;

export type What = "entries" | "keys" | "values";

export interface Codecs<K, V> {
  readonly key: Codec<K>;
  readonly value: Codec<V>;
}

export interface Query<K, V> {
  /** What tells the reader at this moment, and the number of the keyspace. */
  pinned(): () => { core: CoreReader; space: number };
  readonly codecs: Codecs<K, V>;
  readonly bounds: Bounds;
  readonly reverse: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** A range in the making: each iteration of it begins anew. */
export class RangeResults<K, V, T> implements Results<T> {
  readonly #query: Query<K, V>;
  readonly #what: What;

  constructor(query: Query<K, V>, what: What) {
    this.#query = query;
    this.#what = what;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return new RangeIterator<K, V, T>(new Portions(this.#query, this.#what));
  }

  all(): T[] {
    const portions = new Portions<K, V, T>(this.#query, this.#what, LARGEST_PORTION);
    const first = portions.next();
    const all = first ?? [];
    for (let portion = first && portions.next(); portion; portion = portions.next()) {
      for (const item of portion) all.push(item);
    }
    return all;
  }

  first(): T | undefined {
    const portions = new Portions<K, V, T>(this.#query, this.#what, 1);
    const item = portions.next()?.[0];
    portions.close();
    return item;
  }
}

class RangeIterator<K, V, T> implements IterableIterator<T> {
  #portion: T[] = [];
  #index = 0;
  readonly #portions: Portions<K, V, T>;

  constructor(portions: Portions<K, V, T>) {
    this.#portions = portions;
  }

  next(): IteratorResult<T> {
    if (this.#index === this.#portion.length) {
      const portion = this.#portions.next();
      this.#portion = portion ?? [];
      this.#index = 0;
      if (portion === undefined) return { done: true, value: undefined };
    }
    return { done: false, value: this.#portion[this.#index++] as T };
  }

  return(): IteratorResult<T> {
    this.#portions.close();
    this.#portion = [];
    this.#index = 0;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** The portions of one pass over a range, all of one moment. */
class Portions<K, V, T> {
  readonly #query: Query<K, V>;
  readonly #source: ReturnType<Query<K, V>["pinned"]>;
  readonly #what: What;
  /** The view that holds the moment, from the second portion on. */
  #rest: CoreReader | undefined;
  #left: number;
  #size: number;
  #lastKey: Uint8Array | undefined;
  #finished = false;
  readonly #foreign: boolean;

  constructor(query: Query<K, V>, what: What, size = FIRST_PORTION) {
    this.#query = query;
    this.#source = query.pinned();
    this.#what = what;
    this.#left = query.limit;
    this.#size = size;
    this.#foreign = isForeign(query.codecs.key) || isForeign(query.codecs.value);
  }

  /** The next items, at least one; undefined at the end. */
  next(): T[] | undefined {
    if (this.#finished || this.#left === 0) {
      this.close();
      return undefined;
    }
    const wanted = Math.min(this.#size, this.#left, MOST_ENTRIES);
    const { core, space } = this.#source();
    const answer = this.#scan(this.#rest ?? core, space, wanted);
    const portion = packed(this.#foreign);
    const count = portion.lengths.length / (this.#what === "keys" ? 1 : 2);
    this.#left -= count;
    this.#size = Math.min(this.#size * 4, LARGEST_PORTION);
    if ((answer & MORE) === 0 || this.#left === 0) {
      if (this.#rest === undefined) core.drop_rest();
      this.close();
    } else {
      this.#lastKey = this.#keyAtEnd(portion);
      // The newest state moves on, so that the moment of the first portion is kept for the others.
      this.#rest ??= core.rest();
    }
    if (count === 0) return undefined;
    try {
      // This comes last, because an encoding of the user's own may do anything. What is no copy is found anew, because
      // the memory may have grown.
      return this.#decode(this.#foreign ? portion : packed(false), (answer & ASCII) !== 0);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#finished = true;
    this.#rest?.free();
    this.#rest = undefined;
  }

  #scan(reader: CoreReader, space: number, wanted: number): number {
    const { bounds, reverse, offset } = this.#query;
    const resumed = this.#lastKey;
    const lowKey = resumed && !reverse ? resumed : bounds.lowKey;
    const highKey = resumed && reverse ? resumed : bounds.highKey;
    const low = resumed && !reverse ? EXCLUDED : bounds.low;
    const high = resumed && reverse ? EXCLUDED : bounds.high;
    const lowBytes = putTwo(lowKey, highKey);
    const flags = (reverse ? REVERSE : 0) | (this.#what === "keys" ? WITHOUT_VALUES : 0);
    const skipped = resumed ? 0 : Math.min(offset, MOST_ENTRIES);
    const answer = reader.scan(space, low, lowBytes, high, secondBytes, flags, skipped, wanted) >>> 0;
    if (answer === FAILED) throw takeError();
    return answer;
  }

  #keyAtEnd({ bytes, lengths }: Packed): Uint8Array {
    const valueBytes = this.#what === "keys" ? 0 : (lengths.at(-1) as number);
    const keyBytes = lengths.at(this.#what === "keys" ? -1 : -2) as number;
    const end = bytes.length - valueBytes;
    return bytes.slice(end - keyBytes, end);
  }

  #decode({ bytes, lengths }: Packed, ascii: boolean): T[] {
    const { key, value } = this.#query.codecs;
    const text = ascii && key.text && value.text ? decodeUtf8(bytes) : undefined;
    const [readKey, readValue] = [partReader(key, bytes, text), partReader(value, bytes, text)];
    const items: unknown[] = [];
    let at = 0;
    for (let index = 0; index < lengths.length;) {
      const keyBytes = lengths[index++] as number;
      const valueAt = at + keyBytes;
      const valueBytes = this.#what === "keys" ? 0 : (lengths[index++] as number);
      if (this.#what === "keys") items.push(readKey(at, keyBytes));
      else if (this.#what === "values") items.push(readValue(valueAt, valueBytes));
      else items.push([readKey(at, keyBytes), readValue(valueAt, valueBytes)]);
      at = valueAt + valueBytes;
    }
    return items as T[];
  }
}

/**
 * What reads parts of packed bytes, as slices of their text where there is one: one call of the platform's decoder costs
 * less than one for each part.
 */
export function partReader<X>(
  codec: Codec<X>,
  bytes: Uint8Array,
  text: string | undefined,
): (at: number, length: number) => X {
  if (!codec.text || text === undefined) return (at, length) => decodeIn(codec, bytes, at, length);
  return (at, length) => codec.decodeText(text.slice(at, at + length));
}
