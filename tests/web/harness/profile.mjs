/** Fresh directories for browser profiles, which stay until they are removed: a killed browser's data is still there. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made = new Set();

export function newProfile() {
  const folder = mkdtempSync(join(tmpdir(), "selkie-profile-"));
  made.add(folder);
  return folder;
}

/** A browser that was just killed may still be writing, so that removing is tried again. */
export function removeProfile(/** @type {string} */ folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  made.delete(folder);
}

process.on("exit", () => {
  for (const folder of made) removeProfile(folder);
});
