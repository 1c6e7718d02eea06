/** What the databases of Level share. */
import type { AbstractLevel } from "abstract-level";
import type { Entry, Store } from "../page/peer.js";

type Level = AbstractLevel<any, string, string>;

export class LevelStore implements Store {
  readonly #db: Level;

  constructor(db: Level) {
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

  deleteRange(from: string, to: string): Promise<void> {
    return this.#db.clear({ gte: from, lt: to });
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
