/** RxDB over a storage that is free. Documents are of a key and a value; one writer, so nothing is shared between tabs. */
import { createRxDatabase, removeRxDatabase, type RxCollection, type RxDatabase, type RxStorage } from "rxdb/plugins/core";
import type { Durability, Entry, Peer, Store } from "../page/peer.js";

interface Document {
  id: string;
  value: string;
}

type Collection = RxCollection<Document>;

const SCHEMA = {
  version: 0,
  primaryKey: "id",
  type: "object",
  properties: { id: { type: "string", maxLength: 20 }, value: { type: "string" } },
  required: ["id", "value"],
} as const;

class RxStore implements Store {
  readonly #db: RxDatabase;
  readonly #records: Collection;

  constructor(db: RxDatabase, records: Collection) {
    this.#db = db;
    this.#records = records;
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#records.findOne(key).exec())?.value;
  }

  async getMany(keys: string[]): Promise<(string | undefined)[]> {
    const found = await this.#records.findByIds(keys).exec();
    return keys.map((key) => found.get(key)?.value);
  }

  async range100(from: string): Promise<Entry[]> {
    const documents = await this.#records.find({ selector: { id: { $gte: from } }, sort: [{ id: "asc" }], limit: 100 }).exec();
    return documents.map(({ id, value }) => [id, value]);
  }

  /** Of the ways to write one document, the one that waits for others of the same document and does not conflict with them. */
  put(key: string, value: string): Promise<unknown> {
    return this.#records.incrementalUpsert({ id: key, value });
  }

  async bulk(entries: Entry[]): Promise<void> {
    const { error } = await this.#records.bulkUpsert(entries.map(([id, value]) => ({ id, value })));
    if (error.length > 0) {
      throw new Error(`${error.length} of ${entries.length} documents were not written`);
    }
  }

  deleteRange(from: string, to: string): Promise<unknown> {
    return this.#records.find({ selector: { id: { $gte: from, $lt: to } } }).remove();
  }

  async close(): Promise<void> {
    await this.#db.close();
  }
}

export function rxdb(storage: (durability: Durability) => RxStorage<unknown, unknown>): Peer {
  return {
    async open(name, durability) {
      const db = await createRxDatabase({ name, storage: storage(durability), multiInstance: false });
      const { records } = await db.addCollections({ records: { schema: SCHEMA } });
      return new RxStore(db, records as Collection);
    },
    destroy: (name) => removeRxDatabase(name, storage("relaxed"), false),
  };
}
