// IndexedDB as a place for databases: a log of blobs, in pages and in workers of every kind.
//
// A file is a number of records, each with the key [file, offset] and the bytes that were written there; the record
// [file, -1] says that the file is there. Each write is one transaction. One that has to survive a power loss is
// strict, the others are relaxed. The standard says that a strict transaction is complete when it is on the medium; it
// says nothing of relaxed ones before it. Browsers write transactions to one log in their order and sync that log for a
// strict one, so that a later strict transaction takes earlier relaxed ones with it: this is how a file is synced.

import { coded, nameOf, readOnlyError } from "./errors.js";
import { Connection, deleteDatabase, factory } from "./indexeddb-connection.js";
import { existsIndexedDb } from "./indexeddb-list.js";
import { acquire, unlockedEarly } from "./locks.js";
import { prefixed } from "./names.js";

/**
 * What is longer goes into several records of one transaction: browsers limit what one message carries, and a record is read
 * as a whole by whoever wants a part of it.
 */
const RECORD_BYTES = 1 << 20;
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
    const wasThere = await existsIndexedDb(name);
    await deleteDatabase(prefixed(name));
    return wasThere;
  } finally {
    await release();
  }
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
  /** @type {((after?: Promise<unknown>) => Promise<void>) | undefined} */
  #release;
  /** @type {Promise<void> | undefined} */
  #unlocked;
  /** Counts how often the lock was given back, so that one that comes only then is given back as well. */
  #unlocks = 0;
  /**
   * The lengths that files have once everything that was asked for is done. Where none is known, a transaction finds
   * it, so that the operations keep their order.
   * @type {Map<string, number>}
   */
  #lengths = new Map();
  /** Whether anything was written that a power loss may take back, since the last sync was asked for. */
  #unsynced = false;
  /** The last sync. @type {Promise<void>} */
  #synced = Promise.resolve();
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
    if (!this.#readOnly) await this.#acquire();
    this.#connection.reset();
    this.#lengths.clear();
  }

  async #acquire() {
    const unlocks = this.#unlocks;
    const release = await acquire(this.#name, { ...this.#lockOptions, onlost: (error) => this.#lost(error) });
    if (unlocks !== this.#unlocks) {
      await release();
      throw unlockedEarly();
    }
    this.#release = release;
  }

  unlock() {
    this.#unlocks++;
    const release = this.#release;
    this.#release = undefined;
    this.#connection.close();
    if (release) this.#unlocked = release(this.#last.catch(() => {}));
    return this.#unlocked;
  }

  /** @returns {Promise<Entries>} */
  list() {
    return this.#read((store) => {
      /** @type {Entries} */
      const found = [];
      eachFile(store, (name, length) => found.push([name, length]));
      return () => found;
    });
  }

  /** @param {string} name */
  create(name) {
    this.#unsynced = true;
    this.#lengths.delete(name);
    return this.#write("relaxed", (store) => {
      // A key that is there already makes the request fail, and the transaction with it.
      store.add(0, [name, MARKER]);
      return () => undefined;
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
    const end = this.#lengths.get(name);
    if (end !== undefined && offset !== end) throw notAtEnd(offset, end);
    this.#lengths.set(name, offset + data.length);
    if (!flush) this.#unsynced = true;
    try {
      await this.#write(flush ? "strict" : "relaxed", (store) => {
        if (end === undefined) this.#requireEnd(store, name, offset, () => put(store, name, offset, data));
        else put(store, name, offset, data);
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
    const end = this.#lengths.get(name);
    if (end !== undefined) this.#lengths.set(name, Math.min(end, length));
    const truncated = this.#write("relaxed", (store) => {
      this.#requireFile(store, name);
      cut(store, name, length);
      return () => undefined;
    });
    return truncated.catch((error) => {
      this.#lengths.delete(name);
      throw error;
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
    this.#lengths.delete(name);
    return this.#write("relaxed", (store) => {
      this.#requireFile(store, name);
      store.delete(IDBKeyRange.bound([name, MARKER], [name, Infinity]));
      return () => undefined;
    });
  }

  /** @param {string} name */
  async #sync(name) {
    if (!this.#unsynced) return this.#checkSynced(name);
    this.#unsynced = false;
    this.#synced = this.#write("strict", (store) => {
      if (name !== NO_FILE) this.#requireFile(store, name);
      store.put(0, [name, MARKER]);
      return () => undefined;
    });
    try {
      await this.#synced;
    } catch (error) {
      this.#unsynced = true;
      throw error;
    }
  }

  /**
   * There is nothing to sync, but perhaps a sync to wait for, or no such file.
   * @param {string} name
   */
  async #checkSynced(name) {
    const look = () =>
      this.#read((store) => {
        this.#requireFile(store, name);
        return () => undefined;
      });
    await Promise.all([this.#synced, name === NO_FILE || this.#lengths.has(name) || look()]);
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
      this.#failures.set(store.transaction, missing(name));
      store.transaction.abort();
    };
  }

  /** @type {WeakMap<IDBTransaction, Error>} Why transactions were aborted here. */
  #failures = new WeakMap();

  /**
   * Has the transaction fail where the file does not end at the offset, and else goes on.
   * @param {IDBObjectStore} store
   * @param {string} name
   * @param {number} offset
   * @param {() => void} next
   */
  #requireEnd(store, name, offset, next) {
    lastOf(store, name, (length) => {
      if (length === offset) return next();
      this.#failures.set(store.transaction, length === undefined ? missing(name) : notAtEnd(offset, length));
      store.transaction.abort();
    });
  }

  /**
   * @template T
   * @param {(store: IDBObjectStore) => () => T} issue
   */
  #read(issue) {
    return this.#run("readonly", "relaxed", issue);
  }

  /**
   * @template T
   * @param {"strict" | "relaxed"} durability
   * @param {(store: IDBObjectStore) => () => T} issue
   * @returns {Promise<T>}
   */
  #write(durability, issue) {
    if (this.#readOnly) return Promise.reject(readOnlyError("the database is opened only to be read"));
    const written = this.#run("readwrite", durability, issue);
    this.#last = written;
    return written;
  }

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {"strict" | "relaxed"} durability
   * @param {(store: IDBObjectStore) => () => T} issue
   * @returns {Promise<T>}
   */
  async #run(mode, durability, issue) {
    /** @type {IDBTransaction | undefined} */
    let transaction;
    try {
      return await this.#connection.run(mode, durability, (store) => {
        transaction = store.transaction;
        return issue(store);
      });
    } catch (error) {
      throw (transaction && this.#failures.get(transaction)) ?? error;
    }
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
  const files = store.openKeyCursor();
  files.onsuccess = () => {
    const cursor = files.result;
    if (!cursor) return;
    const [name] = /** @type {[string, number]} */ (cursor.key);
    if (name !== NO_FILE) lastOf(store, name, (length) => visit(name, length ?? 0));
    // A file may have very many records, and all but one of them can be passed over.
    cursor.continue([name, Infinity]);
  };
}

/**
 * Calls `found` with the length of a file, if there is one.
 * @param {IDBObjectStore} store
 * @param {string} name
 * @param {(length: number | undefined) => void} found
 */
function lastOf(store, name, found) {
  const last = store.openCursor(IDBKeyRange.bound([name, MARKER], [name, Infinity]), "prev");
  last.onsuccess = () => {
    const cursor = last.result;
    if (!cursor) return found(undefined);
    const offset = /** @type {[string, number]} */ (cursor.key)[1];
    found(offset === MARKER ? 0 : offset + /** @type {Bytes} */ (cursor.value).length);
  };
}

/**
 * @param {IDBObjectStore} store
 * @param {string} name
 * @param {number} offset
 * @param {Bytes} data
 */
function put(store, name, offset, data) {
  for (let at = 0; at < data.length; at += RECORD_BYTES) {
    const record = data.length <= RECORD_BYTES ? data : data.slice(at, at + RECORD_BYTES);
    store.put(record, [name, offset + at]);
  }
  if (data.length === 0) store.put(0, [name, MARKER]);
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
  if (start === end) return;
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
  store.delete(IDBKeyRange.bound([name, length], [name, Infinity]));
  if (length === 0) return;
  const across = store.openCursor(IDBKeyRange.bound([name, 0], [name, length]), "prev");
  across.onsuccess = () => {
    const cursor = across.result;
    if (!cursor) return;
    const offset = /** @type {[string, number]} */ (cursor.key)[1];
    const bytes = /** @type {Bytes} */ (cursor.value);
    if (offset + bytes.length > length) cursor.update(bytes.slice(0, length - offset));
  };
}

/**
 * @param {number} offset
 * @param {number} end
 */
function notAtEnd(offset, end) {
  return new RangeError(`a write at ${offset}, where the file ends at ${end}`);
}

/** @param {string} name */
function missing(name) {
  return new DOMException(`there is no file ${JSON.stringify(name)}`, "NotFoundError");
}
