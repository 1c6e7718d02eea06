// Notices that somebody cleared the origin's storage under a database that is open.
//
// Access handles do not always tell: in Chromium they go on with files that are nowhere any more. But clearing ends every
// connection to IndexedDB, and that comes as an event. So an empty database is kept open there. It costs the one who
// opens nothing to wait for.

const SENTINEL = "selkie";
/** Clearing takes one storage after the other, IndexedDB perhaps first. Then it looks again, after these pauses. */
const LOOKS_MS = [0, 100, 400, 1500];

/**
 * Calls `cleared` once if the storage was cleared: if `isThere` says so then. Returns what ends the watch.
 *
 * @param {() => Promise<boolean>} isThere
 * @param {() => void} cleared
 * @returns {() => void}
 */
export function watchClearing(isThere, cleared) {
  let watching = true;
  /** @type {IDBDatabase | undefined} */
  let sentinel;

  const look = async () => {
    for (const pauseMs of LOOKS_MS) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (watching && !(await isThere())) {
        watching = false;
        cleared();
      }
      if (!watching) return;
    }
    // Only the connection was lost.
    start();
  };

  const start = () => {
    const request = openSentinel();
    if (!request) return;
    request.onsuccess = () => {
      sentinel = request.result;
      sentinel.onversionchange = () => sentinel?.close();
      sentinel.onclose = () => void look().catch(() => {});
      if (!watching) sentinel.close();
    };
    // Without IndexedDB there is nothing to notice it by. The error must not become one of the page's.
    request.onerror = (event) => event.preventDefault();
  };

  start();
  return () => {
    watching = false;
    sentinel?.close();
  };
}

function openSentinel() {
  try {
    return globalThis.indexedDB?.open(SENTINEL, 1);
  } catch {
    return undefined;
  }
}
