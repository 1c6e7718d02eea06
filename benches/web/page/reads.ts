/** Reading: each function gives operations a second, and verifies every value within that time. */
import { perSecond, perSecondSync } from "./measure.js";
import type { Entry, Store } from "./peer.js";
import { Random, type Records } from "./records.js";

export const READS_IN_FLIGHT = 100;
const RANGE = 100;

export class Reads {
  readonly #store: Store;
  readonly #records: Records;
  readonly #durationMs: number;
  readonly #random = new Random(20_261_124);

  constructor(store: Store, records: Records, durationMs: number) {
    this.#store = store;
    this.#records = records;
    this.#durationMs = durationMs;
  }

  async points(): Promise<number> {
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

  async inFlight(): Promise<number> {
    const [store, records] = [this.#store, this.#records];
    return perSecond(this.#durationMs, async () => {
      const indices = this.#indices();
      records.checkAll(indices, await Promise.all(indices.map((index) => store.get(records.key(index)))));
      return indices.length;
    });
  }

  async many(): Promise<number> {
    const [store, records] = [this.#store, this.#records];
    return perSecond(this.#durationMs, async () => {
      const indices = this.#indices();
      records.checkAll(indices, await store.getMany(indices.map((index) => records.key(index))));
      return indices.length;
    });
  }

  /** Ranges a second, of 100 entries each. */
  async ranges(): Promise<number | undefined> {
    const [store, records] = [this.#store, this.#records];
    const starts = records.count - RANGE;
    if (store.range100 === undefined) {
      return undefined;
    }
    if (this.#isSynchronous()) {
      return perSecondSync(this.#durationMs, () => {
        const from = this.#random.below(starts);
        records.checkRange(from, store.range100?.(records.key(from)) as Entry[]);
        return 1;
      });
    }
    return perSecond(this.#durationMs, async () => {
      const from = this.#random.below(starts);
      records.checkRange(from, (await store.range100?.(records.key(from))) as Entry[]);
      return 1;
    });
  }

  #isSynchronous(): boolean {
    return !(this.#store.get(this.#records.key(0)) instanceof Promise);
  }

  #index(): number {
    return this.#random.below(this.#records.count);
  }

  #indices(): number[] {
    return Array.from({ length: READS_IN_FLIGHT }, () => this.#index());
  }
}
