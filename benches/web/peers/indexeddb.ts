/** IndexedDB without a library, as a careful app calls it: one transaction for each commit, ended by hand. */
import type { Durability, Entry, Peer, Store } from "../page/peer.js";

const STORE = "records";

interface AllRecords {
  /** Newer browsers give keys and values by one request. */
  getAllRecords?: (options: { query: IDBKeyRange; count: number }) => IDBRequest<{ key: string; value: string }[]>;
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

class IndexedDbStore implements Store {
  readonly #db: IDBDatabase;
  readonly #durability: IDBTransactionDurability;

  constructor(db: IDBDatabase, durability: IDBTransactionDurability) {
    this.#db = db;
    this.#durability = durability;
  }

  get(key: string): Promise<string | undefined> {
    return result(this.#reading().get(key));
  }

  getMany(keys: string[]): Promise<(string | undefined)[]> {
    const store = this.#reading();
    return Promise.all(keys.map((key) => result<string | undefined>(store.get(key))));
  }

  async range100(from: string): Promise<Entry[]> {
    const store = this.#reading();
    const query = IDBKeyRange.lowerBound(from);
    const { getAllRecords } = store as AllRecords;
    if (getAllRecords !== undefined) {
      const records = await result(getAllRecords.call(store, { query, count: 100 }));
      return records.map(({ key, value }) => [key, value]);
    }
    const [keys, values] = await Promise.all([result(store.getAllKeys(query, 100)), result<string[]>(store.getAll(query, 100))]);
    return keys.map((key, at) => [key as string, values[at] as string]);
  }

  put(key: string, value: string): Promise<void> {
    return this.#commit((store) => void store.put(value, key));
  }

  bulk(entries: Entry[]): Promise<void> {
    return this.#commit((store) => entries.forEach(([key, value]) => store.put(value, key)));
  }

  deleteRange(from: string, to: string): Promise<void> {
    return this.#commit((store) => void store.delete(IDBKeyRange.bound(from, to, false, true)));
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #reading(): IDBObjectStore {
    return this.#db.transaction(STORE).objectStore(STORE);
  }

  #commit(change: (store: IDBObjectStore) => void): Promise<void> {
    const transaction = this.#db.transaction(STORE, "readwrite", { durability: this.#durability });
    change(transaction.objectStore(STORE));
    transaction.commit();
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

async function open(name: string, durability: Durability): Promise<Store> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => void request.result.createObjectStore(STORE);
  return new IndexedDbStore(await result(request), durability === "strict" ? "strict" : "relaxed");
}

export const peer: Peer = { open, destroy: (name) => result(indexedDB.deleteDatabase(name)) };
