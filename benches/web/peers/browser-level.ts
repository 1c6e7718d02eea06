import { BrowserLevel } from "browser-level";
import type { Entry, Peer, Store } from "../page/peer.js";

class LevelStore implements Store {
  readonly #db: BrowserLevel<string, string>;

  constructor(db: BrowserLevel<string, string>) {
    this.#db = db;
  }

  get(key: string): Promise<string | undefined> {
    return this.#db.get(key);
  }

  getMany(keys: string[]): Promise<(string | undefined)[]> {
    return this.#db.getMany(keys);
  }

  range100(from: string): Promise<Entry[]> {
    return this.#db.iterator({ gte: from, limit: 100 }).all();
  }

  put(key: string, value: string): Promise<void> {
    return this.#db.put(key, value);
  }

  bulk(entries: Entry[]): Promise<void> {
    return this.#db.batch(entries.map(([key, value]) => ({ type: "put", key, value })));
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

export const peer: Peer = {
  async open(name, durability) {
    if (durability === "strict") {
      throw new Error("browser-level has no option for durability");
    }
    const db = new BrowserLevel<string, string>(name);
    await db.open();
    return new LevelStore(db);
  },
  destroy: (name) => BrowserLevel.destroy(name),
};
