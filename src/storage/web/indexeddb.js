// IndexedDB as a place for databases: a log of blobs, in pages and in workers of every kind.
//
// A file is a number of records, each with the key [file, offset] and the bytes that were written there; the record
// [file, -1] says that the file is there. Each write is one transaction. One that has to survive a power loss is
// strict, the others are relaxed. The standard says that a strict transaction is complete when it is on the medium; it
// says nothing of relaxed ones before it. Browsers write transactions to one log in their order and sync that log for a
// strict one, so that a later strict transaction takes earlier relaxed ones with it: this is how a file is synced.

import { coded, nameOf, readOnlyError } from "./errors.js";
import { Connection, deleteDatabase, factory } from "./indexeddb-connection.js";
import { acquire } from "./locks.js";
import { prefixed, withoutPrefix } from "./names.js";

/** What is longer goes into several records of one transaction: browsers limit what one message carries. */
const RECORD_BYTES = 16 << 20;
const MARKER = -1;
/** No file has this name. Its record is written to sync what has no file of its own. */
const NO_FILE = ".";

/** @typedef {import("./host.d.ts").Host} Host */
/** @typedef {import("./host.d.ts").Bytes} Bytes */
/** @typedef {import("./host.d.ts").Entries} Entries */

/**
 * The files of a database. Fails with the code `UNAVAILABLE` where there is no IndexedDB.
 *
 * @param {string} name
 * @param {import("./host.d.ts").HostOptions} [options]
 * @returns {Promise<Host>}
 */
export async function openIndexedDb(name, { readOnly = false, ...lockOptions } = {}) {
  const host = new IndexedDbHost(name, readOnly, lockOptions);
  await host.probe();
  return host;
}

/**
 * Removes a database, unless it is open: then it fails with the code `LOCKED`. Tells whether there was one.
 * @param {string} name
 */
export async function destroyIndexedDb(name) {
  const release = await acquire(name);
  try {
    const wasThere = (await listIndexedDb()).includes(name);
    await deleteDatabase(prefixed(name));
    return wasThere;
  } finally {
    release();
  }
}

/**
 * The names of all databases. None where there is no IndexedDB.
 * @returns {Promise<string[]>}
 */
export async function listIndexedDb() {
  const { indexedDB } = globalThis;
  if (!indexedDB?.databases) return [];
  const found = await indexedDB.databases();
  return found.flatMap(({ name }) => withoutPrefix(name) ?? []).sort();
}

/** @implements {Host} */
class IndexedDbHost {
  /** @type {"indexeddb"} */
  mode = "indexeddb";
  /** @type {((error: Error) => void) | undefined} */
  onlost;
  #name;
  #readOnly;
  #lockOptions;
  #connection;
  /** @type {((after?: Promise<unknown>) => void) | undefined} */
  #release;
  /** @type {Map<string, number>} The lengths of files, as far as they are known; whoever has the lock changes them. */
  #lengths = new Map();
  /** Whether anything was written that a power loss may take back. */
  #unsynced = false;
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /**
   * @param {string} name
   * @param {boolean} readOnly
   * @param {import("./host.d.ts").LockOptions} lockOptions
   */
  constructor(name, readOnly, lockOptions) {
    this.#name = name;
    this.#readOnly = readOnly;
    this.#lockOptions = lockOptions;
    this.location = `indexeddb:${name}`;
    this.#connection = new Connection(prefixed(name), !readOnly);
    this.#connection.onlost = (error) => this.#lost(error);
  }

  async probe() {
    factory();
    await this.#connection.open();
  }

  async lock() {
    if (this.#readOnly) return;
    this.#release = await acquire(this.#name, { ...this.#lockOptions, onlost: (error) => this.#lost(error) });
    this.#connection.reset();
    this.#lengths.clear();
  }

  unlock() {
    const release = this.#release;
    this.#release = undefined;
    this.#connection.close();
    release?.(this.#last.catch(() => {}));
  }

  /** @returns {Promise<Entries>} */
  async list() {
    const entries = await this.#read((store) => {
      /** @type {Entries} */
      const found = [];
      eachFile(store, (name, length) => found.push([name, length]));
      return () => found;
    });
    // What is known is newer: a write may have been begun since.
    for (const [name, length] of entries) if (!this.#lengths.has(name)) this.#lengths.set(name, length);
    return entries;
  }

  /** @param {string} name */
  create(name) {
    this.#unsynced = true;
    return this.#write("relaxed", (store) => {
      // A key that is there already makes the request fail, and the transaction with it.
      store.add(0, [name, MARKER]);
      return () => void this.#lengths.set(name, 0);
    }).catch((error) => {
      throw nameOf(error) === "ConstraintError" ? coded("EXISTS", "the file exists already", error) : error;
    });
  }

  /**
   * @param {string} name
   * @param {number} offset
   * @param {number} length
   * @returns {Promise<Bytes>}
   */
  read(name, offset, length) {
    return this.#read((store) => {
      /** @type {[number, Bytes][]} */
      const records = [];
      const marker = store.getKey([name, MARKER]);
      eachRecord(store, name, offset, offset + length, (at, bytes) => records.push([at, bytes]));
      return () => {
        if (marker.result === undefined) throw missing(name);
        return joined(records, offset, length);
      };
    });
  }

  /**
   * @param {string} name
   * @param {number} offset
   * @param {Bytes} data
   * @param {boolean} flush
   * @returns {Promise<void>}
   */
  async write(name, offset, data, flush) {
    // Until the first write to it the length of a file may be unknown; afterwards nothing is waited for.
    if (!this.#lengths.has(name)) await this.#findLength(name);
    const end = this.#lengths.get(name);
    if (offset !== end) throw new RangeError(`a write at ${offset}, where the file ends at ${end}`);
    this.#lengths.set(name, offset + data.length);
    if (!flush) this.#unsynced = true;
    try {
      await this.#write(flush ? "strict" : "relaxed", (store) => {
        for (let at = 0; at < data.length; at += RECORD_BYTES) {
          const record = data.length <= RECORD_BYTES ? data : data.slice(at, at + RECORD_BYTES);
          store.put(record, [name, offset + at]);
        }
        if (data.length === 0) store.put(0, [name, MARKER]);
        return () => undefined;
      });
    } catch (error) {
      // Nothing of a transaction that failed is there, and what came after it may be there or not.
      this.#lengths.delete(name);
      throw error;
    }
  }

  /**
   * @param {string} name
   * @param {number} length
   */
  truncate(name, length) {
    this.#unsynced = true;
    return this.#write("relaxed", (store) => {
      this.#requireFile(store, name);
      cut(store, name, length);
      return () => void this.#lengths.delete(name);
    });
  }

  /** @param {string} name */
  sync(name) {
    return this.#sync(name);
  }

  syncDirectory() {
    return this.#sync(NO_FILE);
  }

  /** @param {string} name */
  remove(name) {
    this.#unsynced = true;
    return this.#write("relaxed", (store) => {
      this.#requireFile(store, name);
      store.delete(IDBKeyRange.bound([name, MARKER], [name, Infinity]));
      return () => void this.#lengths.delete(name);
    });
  }

  /** @param {string} name */
  async #sync(name) {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    try {
      await this.#write("strict", (store) => {
        if (name !== NO_FILE) this.#requireFile(store, name);
        store.put(0, [name, MARKER]);
        return () => undefined;
      });
    } catch (error) {
      this.#unsynced = true;
      throw error;
    }
  }

  /**
   * Has the transaction fail where there is no such file.
   * @param {IDBObjectStore} store
   * @param {string} name
   */
  #requireFile(store, name) {
    const request = store.getKey([name, MARKER]);
    request.onsuccess = () => {
      if (request.result !== undefined) return;
      this.#missing.set(store.transaction, name);
      store.transaction.abort();
    };
  }

  /** @type {WeakMap<IDBTransaction, string>} The file that a transaction looked for in vain. */
  #missing = new WeakMap();

  /** @param {string} name */
  async #findLength(name) {
    const entries = await this.list();
    if (!entries.some(([other]) => other === name)) throw missing(name);
  }

  /**
   * @template T
   * @param {(store: IDBObjectStore) => () => T} issue
   */
  #read(issue) {
    return this.#connection.run("readonly", "relaxed", issue);
  }

  /**
   * @template T
   * @param {"strict" | "relaxed"} durability
   * @param {(store: IDBObjectStore) => () => T} issue
   * @returns {Promise<T>}
   */
  #write(durability, issue) {
    if (this.#readOnly) return Promise.reject(readOnlyError("the database is opened only to be read"));
    /** @type {IDBTransaction | undefined} */
    let transaction;
    const written = this.#connection
      .run("readwrite", durability, (store) => {
        transaction = store.transaction;
        return issue(store);
      })
      .catch((error) => {
        const name = transaction && this.#missing.get(transaction);
        throw name === undefined ? error : missing(name);
      });
    this.#last = written;
    return written;
  }

  /** @param {Error} error */
  #lost(error) {
    this.unlock();
    this.onlost?.(error);
  }
}

/**
 * Calls `visit` with each file and its length.
 * @param {IDBObjectStore} store
 * @param {(name: string, length: number) => void} visit
 */
function eachFile(store, visit) {
  const keys = store.getAllKeys();
  keys.onsuccess = () => {
    /** @type {Map<string, number>} */
    const lastOffsets = new Map();
    for (const key of /** @type {[string, number][]} */ (keys.result)) lastOffsets.set(key[0], key[1]);
    lastOffsets.delete(NO_FILE);
    for (const [name, offset] of lastOffsets) {
      if (offset === MARKER) {
        visit(name, 0);
        continue;
      }
      const last = store.get([name, offset]);
      last.onsuccess = () => visit(name, offset + /** @type {Bytes} */ (last.result).length);
    }
  };
}

/**
 * Calls `visit` with each record that has bytes in a range.
 * @param {IDBObjectStore} store
 * @param {string} name
 * @param {number} start
 * @param {number} end
 * @param {(offset: number, bytes: Bytes) => void} visit
 */
function eachRecord(store, name, start, end, visit) {
  const first = store.openKeyCursor(IDBKeyRange.bound([name, 0], [name, start]), "prev");
  first.onsuccess = () => {
    const offset = first.result ? /** @type {[string, number]} */ (first.result.key)[1] : start;
    const range = IDBKeyRange.bound([name, offset], [name, end], false, true);
    const keys = store.getAllKeys(range);
    const values = store.getAll(range);
    values.onsuccess = () => {
      const found = /** @type {[string, number][]} */ (keys.result);
      found.forEach((key, index) => visit(key[1], values.result[index]));
    };
  };
}

/**
 * The bytes of a range, out of the records that have them; fewer at the end of the file.
 * @param {[number, Bytes][]} records
 * @param {number} offset
 * @param {number} length
 */
function joined(records, offset, length) {
  const last = records.at(-1);
  const end = Math.min(offset + length, last ? last[0] + last[1].length : 0);
  const data = new Uint8Array(Math.max(0, end - offset));
  for (const [at, bytes] of records) {
    const part = bytes.subarray(Math.max(0, offset - at), Math.max(0, end - at));
    if (part.length > 0) data.set(part, Math.max(0, at - offset));
  }
  return data;
}

/**
 * Cuts a file: the record across the end is replaced by its beginning.
 * @param {IDBObjectStore} store
 * @param {string} name
 * @param {number} length
 */
function cut(store, name, length) {
  const across = store.openCursor(IDBKeyRange.bound([name, 0], [name, length], false, true), "prev");
  across.onsuccess = () => {
    const cursor = across.result;
    if (cursor) {
      const offset = /** @type {[string, number]} */ (cursor.key)[1];
      const bytes = /** @type {Bytes} */ (cursor.value);
      if (offset + bytes.length > length) cursor.update(bytes.slice(0, length - offset));
    }
    store.delete(IDBKeyRange.bound([name, length], [name, Infinity]));
  };
}

/** @param {string} name */
function missing(name) {
  return new DOMException(`there is no file ${JSON.stringify(name)}`, "NotFoundError");
}
