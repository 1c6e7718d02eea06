// The origin's private file system as a place for databases: fast, and kept apart from everything else on the disk.
//
// What is written is in the browser's hands once the operation is done, and survives the death of the tab and of the
// browser; what is flushed is handed to the medium. There is nothing to flush a directory with: a browser keeps the
// names of files in a journal of its own, and a file that is flushed is there with its name.

import { watchClearing } from "./clearing.js";
import { coded, codeOf, nameOf, scriptMissing } from "./errors.js";
import { acquire, unlockedEarly } from "./locks.js";
import { ROOT, directoryName, nameOfDirectory } from "./names.js";
import { canHaveHandles, exists, rootDirectory } from "./opfs-root.js";
import { patiently } from "./patience.js";
import { WorkerFiles } from "./worker-files.js";

/** @typedef {import("./host.d.ts").Host} Host */
/** @typedef {import("./host.d.ts").Bytes} Bytes */

/**
 * The files of a database: open here, when this is a dedicated worker, and else in a worker that is started for them.
 *
 * Fails with the code `UNAVAILABLE` where the browser has no such files, as in private windows of some.
 *
 * @param {string} name
 * @param {import("./host.d.ts").OpfsOptions} [options]
 * @returns {Promise<Host>}
 */
export async function openOpfs(name, { readOnly = false, worker = defaultWorker, ...lockOptions } = {}) {
  const path = pathOf(name);
  const location = `opfs:${name}`;
  if (readOnly) {
    const { OpfsSnapshot } = await import("./opfs-snapshot.js").catch(scriptMissing);
    return new OpfsSnapshot(location, path);
  }
  const files = isDedicatedWorker() && canHaveHandles() ? await filesHere() : new WorkerFiles(worker);
  const host = new OpfsHost(name, location, files, lockOptions);
  try {
    await files.probe(path);
  } catch (error) {
    host.unlock();
    throw error;
  }
  return host;
}

/** Few applications live in such a worker, or only read: what these need is a file of its own in the package. */
async function filesHere() {
  const { OpfsFiles } = await import("./opfs-files.js").catch(scriptMissing);
  return new OpfsFiles();
}

/**
 * Whether there are files of a database.
 * @param {string} name
 */
export async function existsOpfs(name) {
  return exists(await rootDirectory(), pathOf(name));
}

/**
 * Removes a database, unless it is open: then it fails with the code `LOCKED`. Tells whether there was one.
 * @param {string} name
 */
export async function destroyOpfs(name) {
  const release = await acquire(name);
  try {
    const root = await (await rootDirectory()).getDirectoryHandle(ROOT);
    await patiently(name, () => root.removeEntry(directoryName(name), { recursive: true }));
    return true;
  } catch (error) {
    if (nameOf(error) === "NotFoundError") return false;
    throw error;
  } finally {
    await release();
  }
}

/**
 * The names of all databases. None where there is no private file system.
 * @returns {Promise<string[]>}
 */
export async function listOpfs() {
  try {
    const names = [];
    const root = await (await rootDirectory()).getDirectoryHandle(ROOT);
    for await (const [directory, handle] of root.entries()) {
      const name = handle.kind === "directory" ? nameOfDirectory(directory) : undefined;
      if (name !== undefined) names.push(name);
    }
    return names.sort();
  } catch (error) {
    if (nameOf(error) === "NotFoundError" || codeOf(error) === "UNAVAILABLE") return [];
    throw error;
  }
}

/** @implements {Host} */
class OpfsHost {
  /** @type {"opfs"} */
  mode = "opfs";
  /** @type {((error: Error) => void) | undefined} */
  onlost;
  #name;
  #files;
  #lockOptions;
  /** @type {((after?: Promise<unknown>) => Promise<void>) | undefined} */
  #release;
  /** @type {Promise<void> | undefined} */
  #unlocked;
  /** Counts how often the lock was given back, so that one that comes only then is given back as well. */
  #unlocks = 0;
  #endWatch = () => {};

  /**
   * @param {string} name
   * @param {string} location
   * @param {import("./opfs-files.js").OpfsFiles | WorkerFiles} files
   * @param {import("./host.d.ts").LockOptions} lockOptions
   */
  constructor(name, location, files, lockOptions) {
    this.#name = name;
    this.location = location;
    this.#files = files;
    // The worker's messages and its queue have an order, and a write fails that is not at the end of its file. Here there is
    // nothing to wait for.
    this.keepsOrder = files instanceof WorkerFiles;
    this.#lockOptions = lockOptions;
    if (files instanceof WorkerFiles) files.onlost = (error) => this.onlost?.(error);
  }

  async lock() {
    const onlost = (/** @type {Error} */ error) => this.#lost(error);
    const unlocks = this.#unlocks;
    const release = await acquire(this.#name, { ...this.#lockOptions, onlost });
    if (unlocks !== this.#unlocks) {
      await release();
      throw unlockedEarly();
    }
    this.#release = release;
    try {
      await this.#files.start(pathOf(this.#name));
      if (unlocks !== this.#unlocks) throw unlockedEarly();
    } catch (error) {
      this.unlock();
      throw error;
    }
    this.#endWatch = watchClearing(() => {
      // Where the files are no more, nothing can be waited for.
      this.#files.abandon();
      this.#lost(coded("LOST", "the storage of this origin was cleared"));
    });
  }

  unlock() {
    this.#endWatch();
    this.#unlocks++;
    const release = this.#release;
    this.#release = undefined;
    // Whatever stopping comes to, also at once, the lock is given back after it.
    const stopped = new Promise((resolve) => resolve(this.#files.stop())).catch(() => {});
    if (release) this.#unlocked = release(stopped);
    return this.#unlocked;
  }

  list() {
    return this.#files.list();
  }

  /** @param {string} name */
  create(name) {
    return this.#files.create(name);
  }

  /** @param {string} name @param {number} offset @param {number} length */
  read(name, offset, length) {
    return this.#files.read(name, offset, length);
  }

  /** @param {string} name @param {number} offset @param {Bytes} data @param {boolean} flush */
  write(name, offset, data, flush) {
    return this.#files.write(name, offset, data, flush);
  }

  /** @param {string} name @param {number} length */
  truncate(name, length) {
    return this.#files.truncate(name, length);
  }

  /** @param {string} name */
  sync(name) {
    return this.#files.sync(name);
  }

  syncDirectory() {}

  /** @param {string} name */
  remove(name) {
    return this.#files.remove(name);
  }

  /** @param {Error} error */
  #lost(error) {
    this.unlock();
    this.onlost?.(error);
  }
}

/** @param {string} name */
function pathOf(name) {
  return [ROOT, directoryName(name)];
}

function isDedicatedWorker() {
  const scope = /** @type {{ DedicatedWorkerGlobalScope?: Function }} */ (globalThis).DedicatedWorkerGlobalScope;
  return scope !== undefined && globalThis instanceof scope;
}

function defaultWorker() {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
}
