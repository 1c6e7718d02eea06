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

function textPool(): string {
  const random = new Random(7);
  return Array.from({ length: TEXT_POOL_LENGTH }, () => LETTERS[random.below(LETTERS.length)]).join("");
}

const POOL = textPool();

export class Records {
  readonly keys: string[];
  /** Of each record, the version that was written last. */
  readonly versions: Uint32Array;
  /** The values of those versions, of 100 bytes each. */
  readonly #values: string[];

  constructor(count: number, versions: number[] = Array<number>(count).fill(0)) {
    this.keys = Array.from({ length: count }, (_, index) => `user:${String(index).padStart(KEY_DIGITS, "0")}`);
    this.versions = Uint32Array.from(versions);
    this.#values = this.keys.map((key, index) => valueOf(key, index, versions[index] as number));
  }

  get count(): number {
    return this.keys.length;
  }

  key(index: number): string {
    return this.keys[index] as string;
  }

  /** The value of the next version of a record, which every read from now on expects. */
  next(index: number): string {
    const version = (this.versions[index] as number) + 1;
    const value = valueOf(this.key(index), index, version);
    this.versions[index] = version;
    this.#values[index] = value;
    return value;
  }

  /** The first version of all records. */
  entries(): Entry[] {
    return this.keys.map((key, index) => [key, this.next(index)]);
  }

  /** Throws unless the value is the newest of this record. */
  check(index: number, value: string | undefined): void {
    if (value !== this.#values[index]) {
      throw new Error(`record ${index} should be ${this.#values[index]}, but ${value} was read`);
    }
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

function valueOf(key: string, index: number, version: number): string {
  const start = (index * 31 + version * 17) % (TEXT_POOL_LENGTH - TEXT_LENGTH);
  const shown = String(version).padStart(VERSION_DIGITS, "0");
  return `{"version":"${shown}","key":"${key}","text":"${POOL.slice(start, start + TEXT_LENGTH)}"}`;
}
