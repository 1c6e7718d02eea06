/** What the workloads ask of every engine. Each adapter answers it in the way that is fastest for its engine. */

/** `relaxed` survives the death of the page or browser; `strict` is synced before the promise resolves, and survives a power loss. */
export type Durability = "relaxed" | "strict";

export type Entry = [key: string, value: string];

/** A peer whose reads need no promise returns the result itself. */
export type MaybePromise<T> = T | Promise<T>;

export interface Store {
  get(key: string): MaybePromise<string | undefined>;
  getMany(keys: string[]): MaybePromise<(string | undefined)[]>;
  /** The hundred entries from this key on. */
  range100(from: string): MaybePromise<Entry[]>;
  /** One commit. */
  put(key: string, value: string): Promise<unknown>;
  /** All entries in one commit. */
  bulk(entries: Entry[]): Promise<unknown>;
  close(): Promise<void>;
}

export interface Peer {
  open(name: string, durability: Durability): Promise<Store>;
  destroy(name: string): Promise<unknown>;
}
