import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Entry, Peer, Store } from "../page/peer.js";

const STORE = "records";

interface Schema extends DBSchema {
  [STORE]: { key: string; value: string };
}

class IdbStore implements Store {
  readonly #db: IDBPDatabase<Schema>;
  readonly #durability: IDBTransactionDurability;

  constructor(db: IDBPDatabase<Schema>, durability: IDBTransactionDurability) {
    this.#db = db;
    this.#durability = durability;
  }

  get(key: string): Promise<string | undefined> {
    return this.#db.get(STORE, key);
  }

  getMany(keys: string[]): Promise<(string | undefined)[]> {
    const { store } = this.#db.transaction(STORE);
    return Promise.all(keys.map((key) => store.get(key)));
  }

  async range100(from: string): Promise<Entry[]> {
    const { store } = this.#db.transaction(STORE);
    const range = IDBKeyRange.lowerBound(from);
    const [keys, values] = await Promise.all([store.getAllKeys(range, 100), store.getAll(range, 100)]);
    return keys.map((key, at) => [key, values[at] as string]);
  }

  put(key: string, value: string): Promise<void> {
    return this.bulk([[key, value]]);
  }

  bulk(entries: Entry[]): Promise<void> {
    const transaction = this.#db.transaction(STORE, "readwrite", { durability: this.#durability });
    for (const [key, value] of entries) {
      transaction.store.put(value, key).catch(() => {
        // The transaction's own promise fails as well, and that one is waited for.
      });
    }
    transaction.commit();
    return transaction.done;
  }

  async deleteRange(from: string, to: string): Promise<void> {
    const transaction = this.#db.transaction(STORE, "readwrite", { durability: this.#durability });
    await Promise.all([transaction.store.delete(IDBKeyRange.bound(from, to, false, true)), transaction.done]);
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}

export const peer: Peer = {
  async open(name, durability) {
    const db = await openDB<Schema>(name, 1, { upgrade: (created) => void created.createObjectStore(STORE) });
    return new IdbStore(db, durability === "strict" ? "strict" : "relaxed");
  },
  destroy: (name) => deleteDB(name),
};
