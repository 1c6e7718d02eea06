// Directories as a place for databases, in Node. All calls but the first are synchronous, so that a commit is written
// before the call returns.

import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { coded, readOnlyError } from "./errors.js";
import { acquireDirectory } from "./node-lock.js";

/** The file that native programs lock. */
const LOCK = "lock";
/** The file that makes a directory a database. */
const DATABASE = "database";
const OPEN_FILES = 32;

/** @typedef {import("./host.d.ts").Host} Host */
/** @typedef {import("./host.d.ts").Bytes} Bytes */
/** @typedef {import("./host.d.ts").Entries} Entries */

/**
 * The files of the database in a directory.
 *
 * @param {string} directory
 * @param {import("./host.d.ts").HostOptions} [options]
 * @returns {Promise<Host>}
 */
export async function openFiles(directory, { readOnly = false, ...lockOptions } = {}) {
  const path = resolve(directory);
  if (readOnly && !fs.existsSync(path)) throw coded("ENOENT", `there is no database in ${path}`);
  return new NodeHost(path, readOnly, lockOptions);
}

/**
 * Removes a database, unless it is open: then it fails with the code `LOCKED`. Tells whether there was one.
 * @param {string} directory
 */
export async function destroyFiles(directory) {
  const path = resolve(directory);
  if (!fs.existsSync(path)) return false;
  const release = await acquireDirectory(fs.realpathSync(path));
  try {
    const names = fs.readdirSync(path).filter(isOurs);
    // Without the file `database` what is left is no database, however far this comes.
    for (const name of [DATABASE, ...names]) fs.rmSync(join(path, name), { force: true });
    if (fs.readdirSync(path).length === 0) fs.rmdirSync(path);
    return names.includes(DATABASE);
  } finally {
    release();
  }
}

/**
 * The names of the directories that hold databases.
 * @param {string} directory
 * @returns {Promise<string[]>}
 */
export async function listFiles(directory) {
  const entries = fs.existsSync(directory) ? fs.readdirSync(directory, { withFileTypes: true }) : [];
  const holds = (/** @type {string} */ name) => fs.existsSync(join(directory, name, DATABASE));
  return entries.flatMap((entry) => (entry.isDirectory() && holds(entry.name) ? entry.name : [])).sort();
}

/** @param {string} name */
function isOurs(name) {
  return name === DATABASE || name === LOCK || /^[0-9a-f]{16}\.(log|snapshot)$/.test(name);
}

/**
 * Creates a directory and those above it that are missing, such that each survives a power loss.
 * @param {string} path
 */
function createDirectory(path) {
  const first = fs.mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  for (let created = path; created.length >= first.length; created = dirname(created)) syncDirectory(dirname(created));
}

/** @param {string} path */
function syncDirectory(path) {
  // Windows has no such thing, and needs none.
  if (process.platform === "win32") return;
  const directory = fs.openSync(path, "r");
  try {
    fs.fsyncSync(directory);
  } finally {
    fs.closeSync(directory);
  }
}

/** @implements {Host} */
class NodeHost {
  /** @type {"file"} */
  mode = "file";
  #readOnly;
  #lockOptions;
  /** @type {(() => void) | undefined} */
  #release;
  /** @type {Map<string, number>} Open files; the one that was used last comes last. */
  #open = new Map();

  /**
   * @param {string} path
   * @param {boolean} readOnly
   * @param {import("./host.d.ts").LockOptions} lockOptions
   */
  constructor(path, readOnly, lockOptions) {
    this.location = path;
    this.#readOnly = readOnly;
    this.#lockOptions = lockOptions;
  }

  async lock() {
    if (this.#readOnly) return;
    createDirectory(this.location);
    this.#release = await acquireDirectory(fs.realpathSync(this.location), this.#lockOptions);
  }

  unlock() {
    try {
      for (const name of [...this.#open.keys()]) this.#close(name);
    } finally {
      this.#release?.();
      this.#release = undefined;
    }
  }

  /** @returns {Entries} */
  list() {
    const names = fs.readdirSync(this.location).filter((name) => name !== LOCK);
    return names.flatMap((name) => {
      const status = fs.statSync(join(this.location, name), { throwIfNoEntry: false });
      return status?.isFile() ? [[name, status.size]] : [];
    });
  }

  /** @param {string} name */
  create(name) {
    this.#checkWritable();
    this.#keep(name, fs.openSync(join(this.location, name), "wx+"));
  }

  /**
   * @param {string} name
   * @param {number} offset
   * @param {number} length
   * @returns {Bytes}
   */
  read(name, offset, length) {
    const file = this.#file(name);
    const available = Math.max(0, Math.min(length, fs.fstatSync(file).size - offset));
    const data = new Uint8Array(available);
    let count = 0;
    while (count < available) {
      const read = fs.readSync(file, data, count, available - count, offset + count);
      if (read === 0) return data.slice(0, count);
      count += read;
    }
    return data;
  }

  /**
   * @param {string} name
   * @param {number} offset
   * @param {Bytes} data
   * @param {boolean} flush
   */
  write(name, offset, data, flush) {
    this.#checkWritable();
    const file = this.#file(name);
    let count = 0;
    // A system may write less than it was given, and says why with the next attempt.
    while (count < data.length) count += fs.writeSync(file, data, count, data.length - count, offset + count);
    if (flush) fs.fdatasyncSync(file);
  }

  /**
   * @param {string} name
   * @param {number} length
   */
  truncate(name, length) {
    this.#checkWritable();
    const file = this.#file(name);
    if (length < fs.fstatSync(file).size) fs.ftruncateSync(file, length);
  }

  /** @param {string} name */
  sync(name) {
    fs.fdatasyncSync(this.#file(name));
  }

  syncDirectory() {
    syncDirectory(this.location);
  }

  /** @param {string} name */
  remove(name) {
    this.#checkWritable();
    this.#close(name);
    fs.unlinkSync(join(this.location, name));
  }

  #checkWritable() {
    if (this.#readOnly) throw readOnlyError("the database is opened only to be read");
  }

  /** @param {string} name */
  #file(name) {
    const open = this.#open.get(name);
    if (open === undefined) return this.#keep(name, fs.openSync(join(this.location, name), this.#readOnly ? "r" : "r+"));
    this.#open.delete(name);
    this.#open.set(name, open);
    return open;
  }

  /**
   * @param {string} name
   * @param {number} file
   */
  #keep(name, file) {
    const [oldest] = this.#open.keys();
    if (this.#open.size >= OPEN_FILES && oldest !== undefined) this.#close(oldest);
    this.#open.set(name, file);
    return file;
  }

  /** @param {string} name */
  #close(name) {
    const file = this.#open.get(name);
    this.#open.delete(name);
    if (file !== undefined) fs.closeSync(file);
  }
}
