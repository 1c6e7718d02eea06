/** Writing: every commit changes what stands, and what stands at the end is verified after reopening. */
import { milliseconds, perSecond } from "./measure.js";
import type { Entry, Store } from "./peer.js";
import { Random, span, type Records } from "./records.js";

export const BULK_ENTRIES = 1000;
const COMMITS_IN_FLIGHT = 50;
const TRANSACTION_KEYS = 1000;
/** A prime number, so that steps of it reach every record before any twice. */
const STRIDE = 7919;
const RANGES_DELETED = 3;

export class Writes {
  readonly #store: Store;
  readonly #records: Records;
  readonly #durationMs: number;
  readonly #random = new Random(20_261_124);

  constructor(store: Store, records: Records, durationMs: number) {
    this.#store = store;
    this.#records = records;
    this.#durationMs = durationMs;
  }

  /** Commits of a thousand entries, one after another; in entries a second. */
  async bulk(entries: Entry[]): Promise<number> {
    const start = performance.now();
    for (let at = 0; at < entries.length; at += BULK_ENTRIES) {
      await this.#store.bulk(entries.slice(at, at + BULK_ENTRIES));
    }
    return (entries.length * 1000) / (performance.now() - start);
  }

  async commits(): Promise<number> {
    return perSecond(this.#durationMs, () => this.#commit());
  }

  /** Fifty writers, each of which waits for its commit before it makes the next. */
  async commitsInFlight(): Promise<number> {
    await this.#writers(this.#durationMs / 4);
    return await this.#writers(this.#durationMs);
  }

  /** Each changes a thousand keys from all over the database. */
  async transactions(): Promise<number> {
    const { count } = this.#records;
    return perSecond(this.#durationMs, async () => {
      const start = this.#random.below(count);
      const indices = span(0, TRANSACTION_KEYS).map((at) => (start + at * STRIDE) % count);
      await this.#store.bulk(this.#records.entries(indices));
      return 1;
    });
  }

  /** Milliseconds for a tenth of the records, each time another. */
  async deleteRange(): Promise<number | undefined> {
    if (this.#store.deleteRange === undefined) {
      return undefined;
    }
    const size = Math.floor(this.#records.count / 10);
    const times: number[] = [];
    for (let round = 0; round < RANGES_DELETED; round++) {
      const from = (2 * round + 1) * size;
      times.push(await milliseconds(() => this.#delete(from, from + size)));
      await this.#verifyEdges(from, from + size);
      await this.#restore(from, from + size);
    }
    return times.toSorted((left, right) => left - right)[Math.floor(RANGES_DELETED / 2)];
  }

  /** So that the reopening finds some that are gone. */
  async removeSome(): Promise<void> {
    const { count } = this.#records;
    if (this.#store.deleteRange !== undefined) {
      await this.#delete(Math.floor(count / 10), Math.floor(count / 9));
    }
  }

  async #delete(from: number, to: number): Promise<void> {
    await this.#store.deleteRange?.(this.#records.key(from), this.#records.key(to));
    this.#records.remove(from, to);
  }

  async #verifyEdges(from: number, to: number): Promise<void> {
    for (const index of [from - 1, from, to - 1, to]) {
      this.#records.check(index, await this.#store.get(this.#records.key(index)));
    }
  }

  async #restore(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += BULK_ENTRIES) {
      await this.#store.bulk(this.#records.entries(span(at, Math.min(at + BULK_ENTRIES, to))));
    }
  }

  async #writers(durationMs: number): Promise<number> {
    const start = performance.now();
    const end = start + durationMs;
    let commits = 0;
    const writer = async () => {
      while (performance.now() < end) {
        await this.#commit();
        commits += 1;
      }
    };
    await Promise.all(Array.from({ length: COMMITS_IN_FLIGHT }, writer));
    return (commits * 1000) / (performance.now() - start);
  }

  async #commit(): Promise<number> {
    const index = this.#random.below(this.#records.count);
    await this.#store.put(this.#records.key(index), this.#records.next(index));
    return 1;
  }
}
