// One writer for each database of an origin, by Web Locks. The browser gives a lock back when its tab or worker dies.

import { coded, unavailable } from "./errors.js";
import { prefixed } from "./names.js";

/** For how long a request that a signal ended is waited for: if the browser did not hear of it, another tab's lock may keep it. */
const UNHEARD_LIMIT_MS = 100;

/**
 * Locks that this script has given back or no longer wants, and that the browser may still count as held.
 * @type {Map<string, Promise<unknown>>}
 */
const leaving = new Map();

/**
 * Takes the lock of a database. Returns what gives it back, at once or after something that still has to be done, and
 * promises when others can have it.
 *
 * `onlost` is called when somebody else stole the lock.
 *
 * @param {string} name
 * @param {import("./host.d.ts").LockOptions & { onlost?: (error: Error) => void }} [options]
 * @returns {Promise<(after?: Promise<unknown>) => Promise<void>>}
 */
export async function acquire(name, { wait = false, signal, onlost } = {}) {
  const lockName = prefixed(name);
  const locks = webLocks();
  signal?.throwIfAborted();
  await leaving.get(lockName);
  return new Promise((resolve, reject) => {
    let held = false;
    // Chromium does not hear of a signal while it still finds out whether the page may have locks at all.
    const aborted = () => {
      reject(signal?.reason);
      remember(lockName, Promise.race([request, pause(UNHEARD_LIMIT_MS)]));
    };
    signal?.addEventListener("abort", aborted, { once: true });
    const request = locks.request(lockName, lockOptions(wait, signal), (lock) => {
      if (lock === null) throw coded("LOCKED", `the database ${JSON.stringify(name)} is open in another tab or worker`);
      signal?.throwIfAborted();
      signal?.removeEventListener("abort", aborted);
      held = true;
      return new Promise((release) => {
        resolve((after) => {
          held = false;
          release(after?.catch(() => {}));
          return remember(lockName, request);
        });
      });
    });
    request.catch((error) => {
      if (held) onlost?.(coded("LOST", `another tab took the database ${JSON.stringify(name)} over`, error));
      else reject(error);
    });
  });
}

/** What taking a lock fails with that was given back while it was waited for. */
export function unlockedEarly() {
  return new DOMException("the lock was given back before it was there", "AbortError");
}

/** @returns {LockManager} */
function webLocks() {
  const locks = globalThis.navigator?.locks;
  if (!locks) throw unavailable("there are no Web Locks here: the page has to come over https");
  return locks;
}

/**
 * @param {boolean} wait
 * @param {AbortSignal | undefined} signal
 * @returns {LockOptions}
 */
function lockOptions(wait, signal) {
  if (!wait) return { ifAvailable: true };
  return signal ? { signal } : {};
}

/** @param {number} durationMs */
const pause = (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs));

/**
 * @param {string} lockName
 * @param {Promise<unknown>} request
 */
function remember(lockName, request) {
  const done = () => {
    if (leaving.get(lockName) === gone) leaving.delete(lockName);
  };
  const gone = request.then(done, done);
  leaving.set(lockName, gone);
  return gone;
}
