/**
 * The package's worker over handles whose flush is slow, or fails once it is told to: what is in storage is then for a while
 * not durable. Which one the hash of this script's address says.
 */

import "/pkg/dist/worker.js";

const { flush } = FileSystemSyncAccessHandle.prototype;
const SLOW_MS = 400;
let fails = false;

if (location.hash === "#failing-flush") {
  new BroadcastChannel("flush").onmessage = () => (fails = true);
}

FileSystemSyncAccessHandle.prototype.flush = function () {
  if (fails) throw new DOMException("the disk does not answer", "UnknownError");
  const end = performance.now() + (location.hash === "#slow-flush" ? SLOW_MS : 0);
  while (performance.now() < end);
  return flush.call(this);
};
