// The worker that has the files of a database open for a page. One message asks for one operation, and one answers it.

import { describe } from "./errors.js";
import { OpfsFiles } from "./opfs-files.js";

/** @typedef {keyof OpfsFiles} Method */
/** @typedef {[id: number, method: Method | "live", ...given: any[]]} Request */
/** @typedef {[id: number, result: unknown] | [id: number, result: undefined, error: import("./errors.js").Described]} Reply */

const files = new OpfsFiles();

self.onmessage = (/** @type {MessageEvent<Request>} */ { data: [id, method, ...given] }) => {
  try {
    const result = method === "live" ? live(given[0]) : call(method, given);
    if (result instanceof Promise) result.then((value) => succeed(id, value), (error) => fail(id, error));
    else succeed(id, result);
  } catch (error) {
    fail(id, error);
  }
};

/**
 * @param {Method} method
 * @param {any[]} given
 * @returns {unknown}
 */
function call(method, given) {
  return /** @type {(...given: any[]) => unknown} */ (files[method]).apply(files, given);
}

/**
 * Holds a lock for as long as this worker lives, so that the page learns of its death: there is no event for it.
 * @param {string} lock
 * @returns {Promise<void>}
 */
function live(lock) {
  return new Promise((resolve, reject) => {
    navigator.locks.request(lock, () => new Promise(() => resolve())).catch(reject);
  });
}

/**
 * @param {number} id
 * @param {unknown} value
 */
function succeed(id, value) {
  send([id, value], value instanceof Uint8Array ? [value.buffer] : []);
}

/**
 * @param {number} id
 * @param {unknown} error
 */
function fail(id, error) {
  send([id, undefined, describe(error)], []);
}

/**
 * @param {Reply} reply
 * @param {Transferable[]} transfer
 */
function send(reply, transfer) {
  /** @type {Pick<Worker, "postMessage">} */ (/** @type {unknown} */ (self)).postMessage(reply, transfer);
}
