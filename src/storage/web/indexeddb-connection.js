// A connection to IndexedDB, and transactions whose every ending is heard.
//
// The schema has one store and the version 1 for ever, because a change of version has to wait for every other tab.

import { coded, nameOf, unavailable } from "./errors.js";

const VERSION = 1;
const STORE = "chunks";

/** A connection that is blocked gets no event at all. */
const OPEN_LIMIT_MS = 15_000;

export class Connection {
  /** Called once, when the browser or another tab has ended the connection. */
  onlost = (/** @type {Error} */ _error) => {};
  #databaseName;
  #create;
  /** @type {Promise<IDBDatabase> | undefined} */
  #opening;
  /** @type {IDBDatabase | undefined} */
  #database;
  /** @type {Error | undefined} */
  #ended;
  /** @type {Set<(error: Error) => void>} Those who wait for the end of a transaction. */
  #waiting = new Set();
  /** Whether there was a connection: one that takes its place must find the same database, and not create an empty one. */
  #wasThere = false;
  /** How many wait for the connection to be there. */
  #waitingCount = 0;

  /**
   * @param {string} databaseName
   * @param {boolean} create Whether to create the database where there is none.
   */
  constructor(databaseName, create) {
    this.#databaseName = databaseName;
    this.#create = create;
  }

  /** @returns {Promise<IDBDatabase>} */
  open() {
    if (this.#ended) return Promise.reject(this.#ended);
    this.#opening ??= openDatabase(this.#databaseName, this.#create && !this.#wasThere).then(
      (database) => this.#opened(database),
      (error) => {
        this.#opening = undefined;
        if (this.#wasThere && nameOf(error) === "NotFoundError") this.#lose("somebody else removed the database");
        throw this.#ended ?? error;
      },
    );
    return this.#opening;
  }

  /** @param {IDBDatabase} database */
  #opened(database) {
    if (this.#ended) {
      database.close();
      throw this.#ended;
    }
    this.#database = database;
    this.#wasThere = true;
    // Somebody wants to delete it: whoever deletes a database that is in use has a reason.
    database.onversionchange = () => this.#lose("another tab deletes the database");
    database.onclose = () => this.#lose("the browser closed the connection, perhaps because storage was cleared");
    return database;
  }

  /**
   * Runs one transaction: `issue` asks for everything at once. The promise is for what the function it returned gives,
   * once the transaction is complete.
   *
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {"strict" | "relaxed"} durability
   * @param {(store: IDBObjectStore) => () => T} issue
   * @returns {Promise<T>}
   */
  run(mode, durability, issue) {
    // While the connection is there the transaction begins now, so that transactions keep the order of the calls.
    if (this.#database && !this.#ended && this.#waitingCount === 0) {
      const begun = begin(this.#database, mode, durability);
      if (begun) return this.#complete(begun, issue);
      this.#database = undefined;
      this.#opening = undefined;
    }
    return this.#runLater(mode, durability, issue);
  }

  /**
   * Nothing was asked for yet when a connection turns out to be dead, so that a new one can take its place.
   *
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {"strict" | "relaxed"} durability
   * @param {(store: IDBObjectStore) => () => T} issue
   * @returns {Promise<T>}
   */
  async #runLater(mode, durability, issue) {
    this.#waitingCount++;
    let database;
    try {
      database = await this.open();
    } finally {
      this.#waitingCount--;
    }
    const begun = begin(database, mode, durability);
    if (!begun) throw new DOMException("the connection to IndexedDB is closed", "InvalidStateError");
    return this.#complete(begun, issue);
  }

  /**
   * A connection that the browser closes can leave transactions without any event.
   *
   * @template T
   * @param {IDBTransaction} transaction
   * @param {(store: IDBObjectStore) => () => T} issue
   * @returns {Promise<T>}
   */
  #complete(transaction, issue) {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const done = () => this.#waiting.delete(reject);
      complete(transaction, issue).finally(done).then(resolve, reject);
    });
  }

  close() {
    this.#end(new DOMException("the lock is not held", "InvalidStateError"));
  }

  /** Makes it usable again after it was closed. */
  reset() {
    if (nameOf(this.#ended) !== "InvalidStateError") return;
    this.#ended = undefined;
    this.#wasThere = false;
  }

  /** @param {string} reason */
  #lose(reason) {
    if (this.#ended) return;
    const error = coded("LOST", reason);
    this.#end(error);
    for (const reject of this.#waiting) reject(error);
    this.onlost(error);
  }

  /** @param {Error} error */
  #end(error) {
    this.#ended ??= error;
    // Transactions that were begun are still completed.
    this.#database?.close();
    this.#database = undefined;
    this.#opening = undefined;
  }
}

/**
 * @param {IDBDatabase} database
 * @param {IDBTransactionMode} mode
 * @param {"strict" | "relaxed"} durability
 */
function begin(database, mode, durability) {
  try {
    return database.transaction(STORE, mode, { durability });
  } catch (error) {
    if (nameOf(error) === "InvalidStateError") return undefined;
    throw error;
  }
}

/**
 * Some failures, a full disk among them, are told by `abort` alone.
 *
 * @template T
 * @param {IDBTransaction} transaction
 * @param {(store: IDBObjectStore) => () => T} issue
 * @returns {Promise<T>}
 */
function complete(transaction, issue) {
  return new Promise((resolve, reject) => {
    /** @type {unknown} */
    let failure;
    transaction.onerror = ({ target }) => {
      failure ??= /** @type {IDBRequest} */ (target).error;
    };
    transaction.onabort = () => reject(transaction.error ?? failure ?? new DOMException("the transaction was aborted", "AbortError"));
    try {
      const result = issue(transaction.objectStore(STORE));
      transaction.oncomplete = () => {
        try {
          resolve(result());
        } catch (error) {
          reject(error);
        }
      };
    } catch (error) {
      failure = error;
      transaction.abort();
    }
  });
}

/**
 * @param {string} databaseName
 * @param {boolean} create
 * @returns {Promise<IDBDatabase>}
 */
function openDatabase(databaseName, create) {
  return withinLimit("opening the database", (resolve, reject) => {
    const request = factory().open(databaseName, VERSION);
    request.onupgradeneeded = () => {
      if (create) request.result.createObjectStore(STORE);
      else request.transaction?.abort();
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => {
      const { error } = request;
      if (!create && nameOf(error) === "AbortError") reject(new DOMException("there is no such database", "NotFoundError"));
      else if (nameOf(error) === "VersionError") reject(coded("UNSUPPORTED_FORMAT", "the database is of a later version"));
      else reject(isRefusal(error) ? unavailable("IndexedDB cannot be used here", error) : error);
    };
    return () => {
      request.onsuccess = () => request.result.close();
    };
  });
}

/** @param {string} databaseName */
export function deleteDatabase(databaseName) {
  return withinLimit("deleting the database", (resolve, reject) => {
    const request = factory().deleteDatabase(databaseName);
    request.onsuccess = () => resolve(undefined);
    request.onerror = () => reject(request.error);
    return () => {};
  });
}

/**
 * @template T
 * @param {string} what
 * @param {(resolve: (result: T) => void, reject: (error: unknown) => void) => () => void} start Returns what is done
 *   about an answer that comes too late.
 * @returns {Promise<T>}
 */
function withinLimit(what, start) {
  return new Promise((resolve, reject) => {
    const late = start(
      (result) => {
        clearTimeout(timer);
        resolve(result);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
    const timer = setTimeout(() => {
      late();
      reject(coded("LOCKED", `${what} is blocked: another tab has it open and does not answer`));
    }, OPEN_LIMIT_MS);
  });
}

/** @param {unknown} error */
function isRefusal(error) {
  return ["SecurityError", "InvalidStateError", "UnknownError", "NotSupportedError"].includes(nameOf(error));
}

/** @returns {IDBFactory} */
export function factory() {
  const { indexedDB } = globalThis;
  if (!indexedDB) throw unavailable("there is no IndexedDB here");
  return indexedDB;
}
