import { destroy, open, type Database } from "selkie";
import type { Durability, Entry, Peer, Store } from "../page/peer.js";

class SelkieStore implements Store {
  readonly #db: Database<string, string>;

  constructor(db: Database<string, string>) {
    this.#db = db;
  }

  get(key: string): string | undefined {
    return this.#db.get(key);
  }

  getMany(keys: string[]): (string | undefined)[] {
    return this.#db.getMany(keys);
  }

  range100(from: string): Entry[] {
    return this.#db.range({ gte: from, limit: 100 }).all();
  }

  put(key: string, value: string): Promise<unknown> {
    return this.#db.set(key, value);
  }

  bulk(entries: Entry[]): Promise<unknown> {
    return this.#db.batch(entries.map(([key, value]) => ({ type: "set", key, value })));
  }

  /** It has no call for a range: the keys are read and removed by one commit. */
  deleteRange(from: string, to: string): Promise<unknown> {
    const keys = this.#db.keys({ gte: from, lt: to }).all();
    return this.#db.batch(keys.map((key) => ({ type: "delete", key })));
  }

  wasmBytes(): number {
    return this.#db.stats().wasmMemoryBytes;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

const DURABILITIES = { relaxed: "buffered", strict: "immediate", memory: "none" } as const satisfies Record<Durability, string>;

export function selkie(storage: "opfs" | "indexeddb" | "memory"): Peer {
  return {
    async open(name, durability) {
      const encodings = { keyEncoding: "utf8", valueEncoding: "utf8" } as const;
      return new SelkieStore(await open<string, string>(name, { storage, durability: DURABILITIES[durability], ...encodings }));
    },
    destroy: (name) => destroy(name, { storage }),
  };
}
