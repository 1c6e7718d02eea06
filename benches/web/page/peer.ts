/** What the workloads ask of every engine. Each adapter answers it in the way that is fastest for its engine. */

/**
 * `relaxed` survives the death of the page or browser; `strict` is synced before the promise resolves, and survives a power
 * loss; `memory` is gone with the page.
 */
export type Durability = "relaxed" | "strict" | "memory";

export type Entry = [key: string, value: string];

/** A peer whose reads need no promise returns the result itself. */
export type MaybePromise<T> = T | Promise<T>;

export interface Store {
  get(key: string): MaybePromise<string | undefined>;
  getMany(keys: string[]): MaybePromise<(string | undefined)[]>;
  /** The hundred entries from this key on. An engine without order leaves it out. */
  range100?(from: string): MaybePromise<Entry[]>;
  /** One commit. */
  put(key: string, value: string): Promise<unknown>;
  /** All entries in one commit. */
  bulk(entries: Entry[]): Promise<unknown>;
  /** All keys from the first on and before the second, in one commit. An engine without order leaves it out. */
  deleteRange?(from: string, to: string): Promise<unknown>;
  /** Of an engine that is compiled to wasm: the size of its memory. */
  wasmBytes?(): MaybePromise<number>;
  close(): Promise<void>;
}

export interface Peer {
  open(name: string, durability: Durability): Promise<Store>;
  destroy(name: string): Promise<unknown>;
}
