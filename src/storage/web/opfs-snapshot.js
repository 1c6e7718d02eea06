// The files of a database as another tab writes them: read by way of plain files, which no handle keeps from it.

import { nameOf, readOnlyError } from "./errors.js";
import { rootDirectory } from "./opfs-root.js";

/** A file that is written to between two steps of a read has to be read again. */
const ATTEMPTS = 20;

/** @typedef {import("./host.d.ts").Bytes} Bytes */
/** @typedef {import("./host.d.ts").Entries} Entries */

/** @implements {Host} */
export class OpfsSnapshot {
  /** @type {"opfs"} */
  mode = "opfs";
  #path;

  /**
   * @param {string} location
   * @param {string[]} path
   */
  constructor(location, path) {
    this.location = location;
    this.#path = path;
  }

  lock() {}

  unlock() {}

  /** @returns {Promise<Entries>} */
  async list() {
    /** @type {Entries} */
    const entries = [];
    for await (const [name, handle] of (await this.#directory()).entries()) {
      if (handle.kind !== "file") continue;
      const length = await lengthOf(/** @type {FileSystemFileHandle} */ (handle));
      if (length !== undefined) entries.push([name, length]);
    }
    return entries;
  }

  /**
   * @param {string} name
   * @param {number} offset
   * @param {number} length
   * @returns {Promise<Bytes>}
   */
  async read(name, offset, length) {
    const handle = await (await this.#directory()).getFileHandle(name);
    for (let attempt = 1; ; attempt++) {
      try {
        const file = await handle.getFile();
        return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
      } catch (error) {
        if (nameOf(error) !== "NotReadableError" || attempt === ATTEMPTS) throw error;
      }
    }
  }

  create() {
    throw readOnly();
  }

  write() {
    throw readOnly();
  }

  truncate() {
    throw readOnly();
  }

  sync() {
    throw readOnly();
  }

  syncDirectory() {
    throw readOnly();
  }

  remove() {
    throw readOnly();
  }

  async #directory() {
    let directory = await rootDirectory();
    for (const name of this.#path) directory = await directory.getDirectoryHandle(name);
    return directory;
  }
}

/**
 * The length of a file, unless it was removed meanwhile.
 * @param {FileSystemFileHandle} handle
 */
async function lengthOf(handle) {
  try {
    return (await handle.getFile()).size;
  } catch (error) {
    if (nameOf(error) === "NotFoundError") return undefined;
    throw error;
  }
}

function readOnly() {
  return readOnlyError("the database is opened only to be read");
}

/** @typedef {import("./host.d.ts").Host} Host */
