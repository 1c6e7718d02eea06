/** The records: their values carry key and version, so that every read is verified and no write repeats the bytes that stand. */
import type { Entry } from "./peer.js";

const VALUE_LENGTH = 100;
const KEY_PREFIX = "user:";
const KEY_DIGITS = 10;
const VERSION_DIGITS = 8;
const BEFORE_VERSION = '{"version":"';
const BEFORE_KEY = '","key":"';
const BEFORE_TEXT = '","text":"';
const END = '"}';
const VERSION_START = BEFORE_VERSION.length;
const INDEX_START = VERSION_START + VERSION_DIGITS + BEFORE_KEY.length + KEY_PREFIX.length;
const TEXT_LENGTH = VALUE_LENGTH - INDEX_START - KEY_DIGITS - BEFORE_TEXT.length - END.length;
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

  constructor(count: number, versions?: number[]) {
    this.keys = Array.from({ length: count }, (_, index) => KEY_PREFIX + String(index).padStart(KEY_DIGITS, "0"));
    this.versions = versions === undefined ? new Uint32Array(count) : Uint32Array.from(versions);
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
    this.versions[index] = version;
    return this.#value(index, version);
  }

  /** The first version of all records. */
  entries(): Entry[] {
    return this.keys.map((key, index) => [key, this.next(index)]);
  }

  /** Throws unless the value is the newest of this record: its length, version and key, which is what a read may cost. */
  check(index: number, value: string | undefined): void {
    const matches =
      value !== undefined &&
      value.length === VALUE_LENGTH &&
      digits(value, VERSION_START, VERSION_DIGITS) === this.versions[index] &&
      digits(value, INDEX_START, KEY_DIGITS) === index;
    if (!matches) {
      throw new Error(`record ${index} should be at version ${this.versions[index]}, but ${value} was read`);
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

  /** Compares the whole value. */
  checkFully(index: number, value: string | undefined): void {
    if (value !== this.#value(index, this.versions[index] as number)) {
      throw new Error(`record ${index} should be at version ${this.versions[index]}, but it is ${value}`);
    }
  }

  #value(index: number, version: number): string {
    const start = (index * 31 + version * 17) % (TEXT_POOL_LENGTH - TEXT_LENGTH);
    const text = POOL.slice(start, start + TEXT_LENGTH);
    const shown = String(version).padStart(VERSION_DIGITS, "0");
    return BEFORE_VERSION + shown + BEFORE_KEY + this.keys[index] + BEFORE_TEXT + text + END;
  }
}

function digits(text: string, start: number, length: number): number {
  let number = 0;
  for (let at = start; at < start + length; at++) {
    number = number * 10 + text.charCodeAt(at) - 48;
  }
  return number;
}
