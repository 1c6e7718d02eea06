// The files of a database, open in a worker: what a page has instead of `OpfsFiles`, with the same methods.

import { coded, revive, unavailable } from "./errors.js";
import { rootDirectory } from "./opfs-root.js";

/** A script that does not arrive must not let anybody wait for ever. */
const START_LIMIT_MS = 20_000;

/** @typedef {import("./host.d.ts").Bytes} Bytes */
/** @typedef {import("./host.d.ts").Entries} Entries */
/** @typedef {{ resolve: (result: any) => void, reject: (error: Error) => void }} Waiting */

export class WorkerFiles {
  /** @type {(error: Error) => void} */
  onlost = () => {};
  #makeWorker;
  /** @type {Worker | undefined} */
  #worker;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #lastId = 0;
  /** @type {Error | undefined} */
  #lost;
  /** Done when no worker is about to end. */
  #stopping = Promise.resolve();

  /** @param {() => Worker} makeWorker */
  constructor(makeWorker) {
    this.#makeWorker = makeWorker;
  }

  /** @param {string[]} path @returns {Promise<void>} */
  probe(path) {
    // Asked from here as well, the browser has the origin's files ready when the worker is there. What may be wrong with them
    // the worker's answer says.
    rootDirectory().catch(() => {});
    return this.#askFirst("probe", path);
  }

  /** @param {string[]} path @returns {Promise<void>} */
  start(path) {
    return this.#askFirst("start", path);
  }

  /**
   * Asks a worker that is started if there is none. It need not have given a sign of life to be asked.
   * @param {string} method
   * @param {string[]} path
   */
  async #askFirst(method, path) {
    await this.#stopping;
    const greeted = this.#worker ? undefined : this.#startWorker();
    const answer = this.#ask(method, [path]);
    // Where the worker does not start, its greeting says why, and this only that there is no answer.
    answer.catch(() => {});
    await greeted;
    return answer;
  }

  /** Ends the worker, after everything that it was asked for before. */
  stop() {
    const worker = this.#worker;
    if (worker) {
      const stopped = this.#ask("stop", []).catch(() => {});
      this.#stopping = stopped.then(() => this.#end(worker, coded("LOST", "the storage was closed")));
    }
    return this.#stopping;
  }

  /** Ends the worker at once. */
  abandon() {
    if (this.#worker) this.#end(this.#worker, coded("LOST", "the storage was closed"));
  }

  /** @returns {Promise<Entries>} */
  list() {
    return this.#ask("list", []);
  }

  /** @param {string} name @returns {Promise<void>} */
  create(name) {
    return this.#ask("create", [name]);
  }

  /** @param {string} name @param {number} offset @param {number} length @returns {Promise<Bytes>} */
  read(name, offset, length) {
    return this.#ask("read", [name, offset, length]);
  }

  /** @param {string} name @param {number} offset @param {Bytes} data @param {boolean} flush @returns {Promise<void>} */
  write(name, offset, data, flush) {
    return this.#ask("write", [name, offset, data, flush], [data.buffer]);
  }

  /** @param {string} name @param {number} length @returns {Promise<void>} */
  truncate(name, length) {
    return this.#ask("truncate", [name, length]);
  }

  /** @param {string} name @returns {Promise<void>} */
  sync(name) {
    return this.#ask("sync", [name]);
  }

  /** @param {string} name @returns {Promise<void>} */
  remove(name) {
    return this.#ask("remove", [name]);
  }

  /**
   * @param {string} method
   * @param {unknown[]} given
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  #ask(method, given, transfer = []) {
    const worker = this.#worker;
    if (!worker) return Promise.reject(this.#lost ?? new DOMException("the lock is not held", "InvalidStateError"));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      worker.postMessage([id, method, ...given], transfer);
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** @returns {Promise<void>} What the worker's first sign of life makes of it. */
  #startWorker() {
    const worker = startWorker(this.#makeWorker);
    this.#worker = worker;
    this.#lost = undefined;
    worker.onmessage = ({ data }) => this.#answered(data);
    worker.onmessageerror = () => this.#died(worker, "an answer of the storage worker could not be read");
    worker.onerror = (event) => {
      event.preventDefault?.();
      this.#died(worker, `the storage worker failed: ${event.message || "its script could not be run"}`);
    };
    return this.#greet(worker);
  }

  /**
   * Waits for the first sign of life, and lets the worker be watched from then on.
   * @param {Worker} worker
   */
  async #greet(worker) {
    const lock = `selkie-worker:${crypto.randomUUID()}`;
    const late = () => this.#end(worker, unavailable("the storage worker did not start in time"));
    const timer = setTimeout(late, START_LIMIT_MS);
    try {
      await this.#ask("live", [lock]);
    } catch (error) {
      throw unavailable("the storage worker did not start", error);
    } finally {
      clearTimeout(timer);
    }
    const unwatched = (/** @type {unknown} */ error) => this.#died(worker, `the storage worker cannot be watched: ${error}`);
    this.#watch(worker, lock).catch(unwatched);
  }

  /**
   * Waits for the lock that only a dead worker gives back.
   * @param {Worker} worker
   * @param {string} lock
   */
  async #watch(worker, lock) {
    // In Chromium the locks of a page whose storage was cleared are not those of the workers that it starts later. Then
    // they tell nothing about a worker.
    if (await isFree(lock)) return;
    navigator.locks.request(lock, { mode: "shared" }, () => this.#died(worker, "the storage worker was ended"));
  }

  /** @param {[id: number, result: unknown, error?: import("./errors.js").Described]} reply */
  #answered([id, result, error]) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(revive(error));
    else waiting?.resolve(result);
  }

  /**
   * @param {Worker} worker
   * @param {string} reason
   */
  #died(worker, reason) {
    if (this.#worker !== worker) return;
    const error = coded("LOST", reason);
    this.#end(worker, error);
    this.onlost(error);
  }

  /**
   * @param {Worker} worker
   * @param {Error} error What those who wait, and those who come later, are told.
   */
  #end(worker, error) {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#lost = error;
    worker.terminate();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }
}

/**
 * @param {string} lock
 * @returns {Promise<boolean>}
 */
function isFree(lock) {
  return navigator.locks.request(lock, { mode: "shared", ifAvailable: true }, (found) => found !== null);
}

/** @param {() => Worker} makeWorker */
function startWorker(makeWorker) {
  try {
    return makeWorker();
  } catch (error) {
    throw unavailable("the storage worker could not be started", error);
  }
}
