import { createStore, get, getMany, set, setMany, type UseStore } from "idb-keyval";
import type { Entry, Peer, Store } from "../page/peer.js";

class KeyvalStore implements Store {
  readonly #store: UseStore;

  constructor(store: UseStore) {
    this.#store = store;
  }

  get(key: string): Promise<string | undefined> {
    return get<string>(key, this.#store);
  }

  getMany(keys: string[]): Promise<(string | undefined)[]> {
    return getMany<string>(keys, this.#store);
  }

  put(key: string, value: string): Promise<void> {
    return set(key, value, this.#store);
  }

  bulk(entries: Entry[]): Promise<void> {
    return setMany(entries, this.#store);
  }

  async close(): Promise<void> {
    // It has nothing to close a database with.
  }
}

export const peer: Peer = {
  async open(name) {
    const store = createStore(name, "records");
    // The database itself is opened by the first access.
    await get("", store);
    return new KeyvalStore(store);
  },
  destroy: async (name) => void indexedDB.deleteDatabase(name),
};
