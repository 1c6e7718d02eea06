import localforage from "localforage";
import type { Entry, Peer, Store } from "../page/peer.js";

class ForageStore implements Store {
  readonly #forage: LocalForage;

  constructor(forage: LocalForage) {
    this.#forage = forage;
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#forage.getItem<string>(key)) ?? undefined;
  }

  getMany(keys: string[]): Promise<(string | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  put(key: string, value: string): Promise<unknown> {
    return this.#forage.setItem(key, value);
  }

  /** It has no commit of several entries, so that these are as many commits in flight. */
  bulk(entries: Entry[]): Promise<unknown> {
    return Promise.all(entries.map(([key, value]) => this.#forage.setItem(key, value)));
  }

  async close(): Promise<void> {
    // It has nothing to close a database with.
  }
}

export const peer: Peer = {
  async open(name) {
    const forage = localforage.createInstance({ name, storeName: "records", driver: localforage.INDEXEDDB });
    await forage.ready();
    return new ForageStore(forage);
  },
  destroy: (name) => localforage.dropInstance({ name }),
};
