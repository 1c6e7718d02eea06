// Which databases IndexedDB has: what a page asks before it knows where its database is.

import { withoutPrefix } from "./names.js";

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

/**
 * Whether there is a database of that name.
 * @param {string} name
 */
export async function existsIndexedDb(name) {
  return (await listIndexedDb()).includes(name);
}
