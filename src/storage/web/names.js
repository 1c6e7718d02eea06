// What a database is called in each storage.

import { coded } from "./errors.js";

/** Names of directories are limited to 255 bytes where a browser keeps them as they are. */
const NAME_BYTES = 255;
const PREFIX = "selkie:";

/** The directory of the origin's private file system that holds all databases. */
export const ROOT = "selkie";

/**
 * The name of the directory of a database.
 * @param {string} name
 */
export function directoryName(name) {
  const encoded = encode(name);
  if (encoded.length === 0 || encoded.length > NAME_BYTES) {
    throw invalid(name, `it takes ${encoded.length} bytes, where 1 to ${NAME_BYTES} are allowed`);
  }
  return encoded;
}

/** @param {string} name */
function encode(name) {
  try {
    // `.` and `..` are no names, and what begins with a dot is not a database's.
    return encodeURIComponent(name).replace(/^\./, "%2E");
  } catch (cause) {
    throw invalid(name, "it has half of a surrogate pair", cause);
  }
}

/**
 * The name of the database in a directory, unless it is not one's.
 * @param {string} directory
 */
export function nameOfDirectory(directory) {
  try {
    const name = decodeURIComponent(directory);
    return encode(name) === directory ? name : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The name of the IndexedDB database, and of the Web Lock: one for both storages, so that there is one writer.
 * @param {string} name
 */
export function prefixed(name) {
  directoryName(name);
  return PREFIX + name;
}

/** @param {string | undefined} prefixedName */
export function withoutPrefix(prefixedName) {
  return prefixedName?.startsWith(PREFIX) ? prefixedName.slice(PREFIX.length) : undefined;
}

/**
 * @param {string} name
 * @param {string} reason
 * @param {unknown} [cause]
 */
function invalid(name, reason, cause) {
  return coded("INVALID_ARGUMENT", `${JSON.stringify(name)} cannot be the name of a database: ${reason}`, cause);
}
