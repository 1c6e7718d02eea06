/** The work itself: each function takes an open store and gives operations a second. */
import { perSecond, perSecondSync } from "./measure.js";
import type { Entry, Store } from "./peer.js";
import { Random, type Records } from "./records.js";

export const BULK_ENTRIES = 1000;
export const READS_IN_FLIGHT = 100;
export const COMMITS_IN_FLIGHT = 50;

export class Workloads {
  readonly #store: Store;
  readonly #records: Records;
  readonly #durationMs: number;
  readonly #random = new Random(20_261_124);

  constructor(store: Store, records: Records, durationMs: number) {
    this.#store = store;
    this.#records = records;
    this.#durationMs = durationMs;
  }

  /** Commits of a thousand entries, one after another. */
  async bulk(entries: Entry[]): Promise<number> {
    const start = performance.now();
    for (let at = 0; at < entries.length; at += BULK_ENTRIES) {
      await this.#store.bulk(entries.slice(at, at + BULK_ENTRIES));
    }
    return (entries.length * 1000) / (performance.now() - start);
  }

  async reads(): Promise<number> {
    const [store, records] = [this.#store, this.#records];
    if (this.#isSynchronous()) {
      return perSecondSync(this.#durationMs, () => {
        const index = this.#index();
        records.check(index, store.get(records.key(index)) as string | undefined);
        return 1;
      });
    }
    return perSecond(this.#durationMs, async () => {
      const index = this.#index();
      records.check(index, await store.get(records.key(index)));
      return 1;
    });
  }

  async readsInFlight(): Promise<number> {
    const [store, records] = [this.#store, this.#records];
    return perSecond(this.#durationMs, async () => {
      const indices = this.#indices(READS_IN_FLIGHT);
      const values = await Promise.all(indices.map((index) => store.get(records.key(index))));
      return this.#checkAll(indices, values);
    });
  }

  async readMany(): Promise<number> {
    const [store, records] = [this.#store, this.#records];
    return perSecond(this.#durationMs, async () => {
      const indices = this.#indices(READS_IN_FLIGHT);
      const values = await store.getMany(indices.map((index) => records.key(index)));
      return this.#checkAll(indices, values);
    });
  }

  /** Ranges a second, of 100 entries each. */
  async ranges(): Promise<number> {
    const [store, records] = [this.#store, this.#records];
    const starts = records.count - 100;
    if (this.#isSynchronous()) {
      return perSecondSync(this.#durationMs, () => {
        const from = this.#random.below(starts);
        records.checkRange(from, store.range100(records.key(from)) as Entry[]);
        return 1;
      });
    }
    return perSecond(this.#durationMs, async () => {
      const from = this.#random.below(starts);
      records.checkRange(from, await store.range100(records.key(from)));
      return 1;
    });
  }

  async commits(): Promise<number> {
    return perSecond(this.#durationMs, () => this.#commit());
  }

  /** Fifty writers, each of which waits for its commit before it makes the next. */
  async commitsInFlight(): Promise<number> {
    await this.#writers(this.#durationMs / 4);
    return await this.#writers(this.#durationMs);
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
    const index = this.#index();
    await this.#store.put(this.#records.key(index), this.#records.next(index));
    return 1;
  }

  #isSynchronous(): boolean {
    return !(this.#store.get(this.#records.key(0)) instanceof Promise);
  }

  #index(): number {
    return this.#random.below(this.#records.count);
  }

  #indices(count: number): number[] {
    return Array.from({ length: count }, () => this.#index());
  }

  #checkAll(indices: number[], values: (string | undefined)[]): number {
    indices.forEach((index, at) => this.#records.check(index, values[at]));
    return indices.length;
  }
}
