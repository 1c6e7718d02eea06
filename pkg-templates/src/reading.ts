/** What everything that can be read shares: the newest state, views, transactions, and their keyspaces. */

import type { CoreReader } from "#core";
import { boundsOf, countOf, flagOf, prefixBounds, type Bounds } from "./bounds.js";
import type { Codec } from "./encoding.js";
import { decodeUtf8 } from "./encoding-utf8.js";
import { takeError } from "./engine.js";
import { invalid } from "./error.js";
import { checkNames } from "./options.js";
import { NOTHING, packed, putMany, putOne, putTwo, register, secondBytes, textIn, view } from "./memory.js";
import { RangeResults, partReader, type Codecs, type What } from "./results.js";
import type { KeyVersion, RangeOptions, Reader, Results } from "./types.js";

const FOUND = 1;
const ASCII = 1;
const FAILED = 0xffffffff;
const SCAN_OPTIONS = ["reverse", "limit", "offset"];

/** Where a read goes: the engine's reader, and the number of the keyspace in it. */
export interface Source {
  readonly core: CoreReader;
  readonly space: number;
}

export abstract class Reading<K, V> implements Reader<K, V> {
  /** @internal */
  readonly codecs: Codecs<K, V>;

  /** @internal */
  constructor(codecs: Codecs<K, V>) {
    this.codecs = codecs;
  }

  /** @internal */
  abstract source(): Source;

  /** Where one range is read, portion by portion: not in a keyspace that takes the place of its own. @internal */
  pinned(): () => Source {
    return () => this.source();
  }

  get(key: K): V | undefined {
    const { core, space } = this.source();
    return this.valueOf(core.get(space, putOne(this.codecs.key.encode(key))));
  }

  has(key: K): boolean {
    const { core, space } = this.source();
    const found = core.has(space, putOne(this.codecs.key.encode(key))) >>> 0;
    if (found === FAILED) throw takeError();
    return found === FOUND;
  }

  getMany(keys: readonly K[]): (V | undefined)[] {
    if (!Array.isArray(keys)) throw invalid("getMany takes an array of keys");
    const { core, space } = this.source();
    const { key, value } = this.codecs;
    // Not by map, which passes over holes.
    putMany(Array.from(keys, (item) => key.encode(item)));
    const answer = core.get_many(space, keys.length) >>> 0;
    if (answer === FAILED) throw takeError();
    const { bytes, lengths } = packed(isForeign(value));
    const read = partReader(value, bytes, answer === ASCII && value.text ? decodeUtf8(bytes) : undefined);
    let at = 0;
    return Array.from(lengths, (length) => {
      if (length === NOTHING) return undefined;
      at += length;
      return read(at - length, length);
    });
  }

  range(options?: RangeOptions<K>): Results<[K, V]> {
    return this.#results("entries", options);
  }

  entries(options?: RangeOptions<K>): Results<[K, V]> {
    return this.#results("entries", options);
  }

  keys(options?: RangeOptions<K>): Results<K> {
    return this.#results("keys", options);
  }

  values(options?: RangeOptions<K>): Results<V> {
    return this.#results("values", options);
  }

  prefix(prefix: K, options: { reverse?: boolean; limit?: number; offset?: number } = {}): Results<[K, V]> {
    checkNames("the options of a prefix", options, SCAN_OPTIONS);
    return this.#within("entries", prefixBounds(this.codecs.key, prefix), options);
  }

  count(options?: RangeOptions<K>): number {
    const bounds = boundsOf(this.codecs.key, options, SCAN_OPTIONS);
    flagOf("reverse", options?.reverse, false);
    const offset = countOf("offset", options?.offset, 0);
    const limit = countOf("limit", options?.limit, Infinity);
    const { core, space } = this.source();
    const lowBytes = putTwo(bounds.lowKey, bounds.highKey);
    const most = limit === Infinity ? -1 : limit + offset;
    const found = core.count(space, bounds.low, lowBytes, bounds.high, secondBytes, most);
    return Math.max(0, found - offset);
  }

  /** The value that a call of the engine found. @internal */
  valueOf(answer: number): V | undefined {
    if (answer === FOUND) return decodeIn(this.codecs.value, view(), register(0), register(1));
    if (answer >>> 0 === FAILED) throw takeError();
    return undefined;
  }

  /** @internal */
  historyOf(key: K): KeyVersion<V>[] {
    const { core, space } = this.source();
    const rows = core.history(space, putOne(this.codecs.key.encode(key))) as unknown[];
    const versions: KeyVersion<V>[] = [];
    for (let at = 0; at < rows.length; at += 3) {
      const bytes = rows[at + 2] as Uint8Array | undefined;
      versions.push({
        version: rows[at] as number,
        time: new Date(rows[at + 1] as number),
        deleted: bytes === undefined,
        value: bytes === undefined ? undefined : this.codecs.value.decode(bytes),
      });
    }
    return versions;
  }

  #results<T>(what: What, options: RangeOptions<K> | undefined): Results<T> {
    return this.#within(what, boundsOf(this.codecs.key, options, SCAN_OPTIONS), options ?? {});
  }

  #within<T>(what: What, bounds: Bounds, options: RangeOptions<K>): Results<T> {
    const query = {
      pinned: () => this.pinned(),
      codecs: this.codecs,
      bounds,
      reverse: flagOf("reverse", options.reverse, false),
      offset: countOf("offset", options.offset, 0),
      limit: countOf("limit", options.limit, Infinity),
    };
    return new RangeResults<K, V, T>(query, what);
  }
}

/** Reads a key or value at a place in bytes. */
export function decodeIn<T>(codec: Codec<T>, bytes: Uint8Array, at: number, length: number): T {
  return codec.text ? codec.decodeText(textIn(bytes, at, length)) : codec.decode(bytes.slice(at, at + length));
}

export function isForeign(codec: Codec<unknown>): boolean {
  return !codec.text && codec.foreign === true;
}
