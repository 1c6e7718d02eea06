// Notices that somebody cleared the origin's storage under a database that is open.
//
// Access handles do not always tell: in Chromium they go on with files that are nowhere any more. But clearing ends every
// connection to IndexedDB, and that comes as an event. So a little database is kept open there, with a token that says
// whether it is still the same one afterwards. Whoever opens a database does not wait for it.

const SENTINEL = "selkie";
const STORE = "token";

/** In Chromium the private file system of an origin hangs for ever if it is used while it is being cleared. */
const CLEARING_MS = 1000;
const ANSWER_MS = 2000;

/** @typedef {{ database: IDBDatabase, token: unknown }} Sentinel */

/**
 * Calls `cleared` once if the storage was cleared. Returns what ends the watch.
 *
 * @param {() => void} cleared
 * @returns {() => void}
 */
export function watchClearing(cleared) {
  let isOver = false;
  /** @type {IDBDatabase | undefined} */
  let watched;

  const watch = (/** @type {Sentinel} */ { database, token }) => {
    if (isOver) return database.close();
    watched = database;
    database.onversionchange = () => database.close();
    database.onclose = async () => {
      await pause(CLEARING_MS);
      if (isOver) return;
      const again = await Promise.race([open().catch(() => undefined), pause(ANSWER_MS)]);
      if (again && again.token === token) return watch(again);
      again?.database.close();
      if (!isOver) cleared();
    };
  };

  // Without IndexedDB there is nothing to notice it by.
  open().then(watch, () => {});
  return () => {
    isOver = true;
    watched?.close();
  };
}

/** @returns {Promise<Sentinel>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = globalThis.indexedDB.open(SENTINEL, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE).put(crypto.randomUUID(), 0);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      const found = database.transaction(STORE).objectStore(STORE).get(0);
      found.onerror = () => reject(found.error);
      found.onsuccess = () => resolve({ database, token: found.result });
    };
  });
}

/**
 * @param {number} ms
 * @returns {Promise<undefined>}
 */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
