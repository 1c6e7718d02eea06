/** The records: their values carry key and version, so that every read is verified and no write repeats the bytes that stand. */
import type { Entry } from "./peer.js";

const KEY_DIGITS = 10;
const VERSION_DIGITS = 8;
const TEXT_LENGTH = 44;
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const TEXT_POOL_LENGTH = 65_536;

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }
}

/** The whole numbers from the first on and before the second. */
export function span(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

function textPool(): string {
  const random = new Random(7);
  return Array.from({ length: TEXT_POOL_LENGTH }, () => LETTERS[random.below(LETTERS.length)]).join("");
}

const POOL = textPool();

export class Records {
  readonly keys: string[];
  /** Of each record, the version that was written last, as a negative number once the record was removed. */
  readonly versions: Int32Array;
  /** The values of those versions, of 100 bytes each. */
  readonly #values: (string | undefined)[];

  constructor(count: number, versions: number[] = Array<number>(count).fill(0)) {
    this.keys = Array.from({ length: count }, (_, index) => keyOf(index));
    this.versions = Int32Array.from(versions);
    this.#values = this.keys.map((key, index) => {
      const version = versions[index] as number;
      return version < 0 ? undefined : valueOf(key, index, version);
    });
  }

  get count(): number {
    return this.keys.length;
  }

  key(index: number): string {
    return this.keys[index] as string;
  }

  /** The value of the next version of a record, which every read from now on expects. */
  next(index: number): string {
    const version = Math.abs(this.versions[index] as number) + 1;
    const value = valueOf(this.key(index), index, version);
    this.versions[index] = version;
    this.#values[index] = value;
    return value;
  }

  /** The next versions of records. */
  entries(indices: number[]): Entry[] {
    return indices.map((index) => [this.key(index), this.next(index)]);
  }

  /** Every read from now on expects these records to be gone. */
  remove(from: number, to: number): void {
    for (let index = from; index < to; index++) {
      this.versions[index] = -Math.abs(this.versions[index] as number);
      this.#values[index] = undefined;
    }
  }

  /** Throws unless the value is the newest of this record. */
  check(index: number, value: string | undefined): void {
    if (value !== this.#values[index]) {
      throw new Error(`record ${index} should be ${this.#values[index]}, but ${value} was read`);
    }
  }

  checkAll(indices: number[], values: (string | undefined)[]): void {
    indices.forEach((index, at) => this.check(index, values[at]));
  }

  checkRange(from: number, entries: Entry[]): void {
    if (entries.length !== Math.min(100, this.count - from)) {
      throw new Error(`a range from ${from} gave ${entries.length} entries`);
    }
    for (let at = 0; at < entries.length; at++) {
      const [key, value] = entries[at] as Entry;
      if (key !== this.keys[from + at]) {
        throw new Error(`a range from ${from} gave the key ${key} at ${at}`);
      }
      this.check(from + at, value);
    }
  }
}

export function keyOf(index: number): string {
  return `user:${String(index).padStart(KEY_DIGITS, "0")}`;
}

export function valueOf(key: string, index: number, version: number): string {
  const start = (index * 31 + version * 17) % (TEXT_POOL_LENGTH - TEXT_LENGTH);
  const shown = String(version).padStart(VERSION_DIGITS, "0");
  return `{"version":"${shown}","key":"${key}","text":"${POOL.slice(start, start + TEXT_LENGTH)}"}`;
}
