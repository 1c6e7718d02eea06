// The files of one directory of the origin's private file system, over synchronous access handles.
//
// Handles exist in dedicated workers only, and a file has at most one. A file that is open is read and written at
// once, with one call of the platform for each operation: no call is as cheap as it looks in every browser, so the
// length of an open file is counted here and not asked for. The operations are done strictly in their order.

import { coded, nameOf, unavailable } from "./errors.js";
import { canHaveHandles, exists, rootDirectory } from "./opfs-root.js";
import { patiently } from "./patience.js";
import { Queue } from "./queue.js";

/** Safari allows 252 in all. */
const OPEN_FILES = 8;

/**
 * @typedef {object} AccessHandle
 * @property {(buffer: Uint8Array, options: { at: number }) => number} read
 * @property {(buffer: Uint8Array, options: { at: number }) => number} write
 * @property {(length: number) => void} truncate
 * @property {() => number} getSize
 * @property {() => void} flush
 * @property {() => void} close
 */
/** @typedef {FileSystemFileHandle & { createSyncAccessHandle(): Promise<AccessHandle> }} FileHandle */
/** @typedef {{ name: string, access: AccessHandle, length: number, unflushed: boolean }} OpenFile */
/** @typedef {import("./host.d.ts").Bytes} Bytes */
/** @typedef {import("./host.d.ts").Entries} Entries */

export class OpfsFiles {
  /** @type {FileSystemDirectoryHandle | undefined} */
  #directory;
  /** @type {Promise<FileSystemDirectoryHandle> | undefined} */
  #root;
  /** @type {Set<string> | undefined} The names of the files, once they were listed: nobody else creates or removes any. */
  #names;
  #queue = new Queue();
  /** @type {Map<string, OpenFile>} The one that was used last comes last. */
  #open = new Map();

  /**
   * Finds out whether files can be open here: in private windows and in some browsers the methods are there and fail.
   * Where there is a database already, they could. What else is asked for need not wait for it.
   * @param {string[]} path
   */
  async probe([all = "", database = ""]) {
    if (!canHaveHandles()) throw unavailable("there are no synchronous access handles here");
    const root = await this.#rootOnce();
    const directory = await root.getDirectoryHandle(all, { create: true });
    if (!(await exists(directory, [database]))) await tryHandle(directory);
  }

  /**
   * Goes to the directory, creating it.
   * @param {string[]} path
   */
  start(path) {
    return this.#queue.run(async () => {
      let directory = await this.#rootOnce();
      for (const name of path) directory = await directory.getDirectoryHandle(name, { create: true });
      this.#directory = directory;
    });
  }

  /** Closes everything that is open. What was asked for before is done first. */
  stop() {
    return this.#queue.run(() => {
      this.#leave();
    });
  }

  /** Closes everything that is open, whatever is still asked for. */
  abandon() {
    this.#leave();
    this.#queue = new Queue();
  }

  /** @returns {Entries | Promise<Entries>} */
  list() {
    return this.#queue.run(async () => {
      /** @type {Promise<Entries[number]>[]} */
      const entries = [];
      for await (const [name, handle] of this.#place().entries()) {
        if (handle.kind === "file") entries.push(this.#entry(name, /** @type {FileHandle} */ (handle)));
      }
      const listed = await Promise.all(entries);
      this.#names = new Set(listed.map(([name]) => name));
      return listed;
    });
  }

  /** @param {string} name */
  create(name) {
    return this.#queue.run(async () => {
      if (await this.#has(name)) throw coded("EXISTS", "the file exists already");
      await this.#openFile(name, { create: true });
    });
  }

  /**
   * @param {string} name
   * @param {number} offset
   * @param {number} length
   */
  read(name, offset, length) {
    return this.#withFile(name, (file) => {
      const available = Math.max(0, Math.min(length, file.length - offset));
      const data = new Uint8Array(available);
      const count = readFully(file.access, data, offset);
      if (count < available) throw new DOMException(`${count} of ${available} bytes could be read`, "NotReadableError");
      return data;
    });
  }

  /**
   * @param {string} name
   * @param {number} offset
   * @param {Bytes} data
   * @param {boolean} flush
   */
  write(name, offset, data, flush) {
    return this.#withFile(name, (file) => {
      if (offset !== file.length) throw new RangeError(`a write at ${offset}, where the file ends at ${file.length}`);
      if (data.length > 0) this.#append(file, data);
      if (flush) flushFile(file);
    });
  }

  /**
   * @param {string} name
   * @param {number} length
   */
  truncate(name, length) {
    return this.#withFile(name, (file) => {
      if (length >= file.length) return;
      file.unflushed = true;
      file.access.truncate(length);
      file.length = length;
    });
  }

  /** @param {string} name */
  sync(name) {
    return this.#withFile(name, flushFile);
  }

  /** @param {string} name */
  remove(name) {
    return this.#queue.run(async () => {
      this.#close(name);
      await patiently(name, () => this.#place().removeEntry(name));
      this.#names?.delete(name);
    });
  }

  #rootOnce() {
    return (this.#root ??= rootDirectory());
  }

  #leave() {
    for (const name of this.#open.keys()) this.#close(name);
    this.#directory = this.#root = this.#names = undefined;
  }

  /** @param {string} name */
  #has(name) {
    return this.#names ? this.#names.has(name) : hasFile(this.#place(), name);
  }

  #place() {
    if (!this.#directory) throw new DOMException("the lock is not held", "InvalidStateError");
    return this.#directory;
  }

  /**
   * @template T
   * @param {string} name
   * @param {(file: OpenFile) => T} action
   */
  #withFile(name, action) {
    return this.#queue.run(() => {
      const file = this.#open.get(name);
      if (!file) return this.#openFile(name, { create: false }).then(action);
      this.#open.delete(name);
      this.#open.set(name, file);
      return action(file);
    });
  }

  /**
   * @param {string} name
   * @param {{ create: boolean }} options
   * @returns {Promise<OpenFile>}
   */
  async #openFile(name, options) {
    const handle = /** @type {FileHandle} */ (await this.#place().getFileHandle(name, options));
    while (this.#open.size >= OPEN_FILES) this.#closeOne();
    const access = await patiently(name, () => handle.createSyncAccessHandle());
    const file = { name, access, length: access.getSize(), unflushed: false };
    this.#names?.add(name);
    this.#open.set(name, file);
    return file;
  }

  /** Closes the file that was not used for longest. Closing does not flush, so one with nothing to flush goes first. */
  #closeOne() {
    const files = [...this.#open.values()];
    const file = files.find((file) => !file.unflushed) ?? files[0];
    if (!file) return;
    if (file.unflushed) flushFile(file);
    this.#close(file.name);
  }

  /** @param {string} name */
  #close(name) {
    this.#open.get(name)?.access.close();
    this.#open.delete(name);
  }

  /**
   * @param {string} name
   * @param {FileHandle} handle
   * @returns {Promise<Entries[number]>}
   */
  async #entry(name, handle) {
    return [name, this.#open.get(name)?.length ?? (await handle.getFile()).size];
  }

  /**
   * Without space some browsers throw, some write less, and some have returned the number of an error.
   * @param {OpenFile} file
   * @param {Bytes} data
   */
  #append(file, data) {
    file.unflushed = true;
    try {
      const count = file.access.write(data, { at: file.length });
      if (count !== data.length) throw new DOMException(`${count} of ${data.length} bytes were written`, "QuotaExceededError");
    } catch (error) {
      this.#takeBack(file);
      throw error;
    }
    file.length += data.length;
  }

  /**
   * Cuts off what a failed write left. If that fails as well, the file is asked for its length when it is used next.
   * @param {OpenFile} file
   */
  #takeBack(file) {
    try {
      file.access.truncate(file.length);
    } catch {
      this.#close(file.name);
    }
  }
}

/** @param {OpenFile} file */
function flushFile(file) {
  file.access.flush();
  file.unflushed = false;
}

/**
 * @param {AccessHandle} access
 * @param {Uint8Array} data
 * @param {number} offset
 */
function readFully(access, data, offset) {
  let count = 0;
  while (count < data.length) {
    const read = access.read(data.subarray(count), { at: offset + count });
    if (!(read > 0)) break;
    count += read;
  }
  return count;
}

/**
 * @param {FileSystemDirectoryHandle} directory
 * @param {string} name
 */
async function hasFile(directory, name) {
  try {
    await directory.getFileHandle(name);
    return true;
  } catch (error) {
    if (nameOf(error) === "NotFoundError") return false;
    throw error;
  }
}

/**
 * Opens and removes a file that nothing else uses. That another tab is just doing the same is an answer too.
 * @param {FileSystemDirectoryHandle} directory
 */
async function tryHandle(directory) {
  const name = ".probe";
  try {
    const handle = /** @type {FileHandle} */ (await directory.getFileHandle(name, { create: true }));
    (await handle.createSyncAccessHandle()).close();
    await directory.removeEntry(name);
  } catch (error) {
    if (["NoModificationAllowedError", "NotFoundError"].includes(nameOf(error))) return;
    if (nameOf(error) === "QuotaExceededError") throw error;
    throw unavailable("files of the private file system cannot be open here", error);
  }
}
