/** Opening, destroying, listing and copying databases, on any platform. */

import { open_core, restore_core, type CoreDatabase } from "#core";
import { announce } from "./announcing.js";
import { Connection, type ConnectionOptions } from "./connection.js";
import { Database } from "./database.js";
import { keyEncoding, valueEncoding } from "./encoding.js";
import { loadEngine, loadLater } from "./engine.js";
import { scriptMissing } from "../../src/storage/web/errors.js";
import { SelkieError, checkSignal, fromPlatform, invalid, isLacking } from "./error.js";
import type { FileSource } from "./files.js";
import { checkDirectory, checkNames, checkOptions, oneOf, toCore } from "./options.js";
import type { Host, HostMode, HostOptions, Platform } from "./platform.js";
import type { Codecs } from "./results.js";
import { importOf, type Importable } from "./transfer.js";
import type { OpenOptions, StorageChoice, StorageMode, TransferOptions } from "./types.js";

const DEFAULT_ATTEMPTS = 1000;

/** Which database's files, where the storage is not told by an open handle. */
export interface PlaceOptions {
  storage?: StorageChoice;
  directory?: string;
}

export interface Api {
  /** Opens a database, or creates it. */
  open<K = string, V = any>(name: string, options?: OpenOptions<K, V>): Promise<Database<K, V>>;
  /** Removes a database that nobody has open, in the storage named, or in all of them. Tells whether there was one. */
  destroy(name: string, options?: PlaceOptions): Promise<boolean>;
  /** The databases that are there. */
  databases(options?: { directory?: string }): Promise<{ name: string; mode: StorageMode }[]>;
  /** Makes a new database of an export, and opens it. */
  restore<K = string, V = any>(
    name: string,
    from: Importable,
    options?: OpenOptions<K, V> & TransferOptions,
  ): Promise<Database<K, V>>;
  /** The files of a database that nobody writes, byte for byte: native programs open the same ones. */
  readFiles(name: string, options?: PlaceOptions): Promise<Map<string, Blob>>;
  /** Makes a database of files. */
  writeFiles(name: string, files: Iterable<[string, FileSource]>, options?: PlaceOptions): Promise<void>;
  /** Asks the browser not to evict the origin's data by itself. */
  requestPersistence(): Promise<boolean>;
}

export function createApi(platform: Platform): Api {
  return {
    open: (name, options = {}) => openDatabase(platform, name, options, open_core),
    restore: async (name, from, options = {}) => {
      checkName(name);
      checkOptions(options);
      if (options.tabs === "read-only") throw invalid("what is restored is written");
      const read = importOf(from, options);
      return openDatabase(platform, name, options, (host, core) =>
        read(async (source) => {
          await loadLater();
          checkSignal(options.signal);
          return restore_core(host, core, source);
        }),
      );
    },
    destroy: (name, options = {}) => destroy(platform, name, options),
    databases: async (options = {}) => list(platform, options),
    readFiles: (name, options = {}) =>
      copying(async ({ copyOut }) => copyOut(await openPresent(platform, name, options))),
    writeFiles: (name, files, options = {}) =>
      copying(async ({ checkFiles, copyIn }) => {
        const checked = checkFiles(files);
        return copyIn(await openPlace(platform, name, options), checked);
      }),
    requestPersistence: () => platform.requestPersistence(),
  };
}

/** A script that few pages need is loaded when it is needed. */
function scriptOf<T>(script: Promise<T>): Promise<T> {
  return script.catch(scriptMissing).catch((error: unknown) => {
    throw fromPlatform(error, "UNAVAILABLE");
  });
}

async function copying<T>(work: (files: typeof import("./files.js")) => Promise<T>): Promise<T> {
  const files = await scriptOf(import("./files.js"));
  return work(files).catch((error: unknown) => {
    throw fromPlatform(error, "IO");
  });
}

type OpenCore = (host: unknown, options: ReturnType<typeof toCore>) => Promise<unknown>;

async function openDatabase<K, V>(
  platform: Platform,
  name: string,
  options: OpenOptions<K, V>,
  openCore: OpenCore,
): Promise<Database<K, V>> {
  checkName(name);
  checkOptions(options);
  const codecs = { key: keyEncoding(options.keyEncoding), value: valueEncoding(options.valueEncoding) };
  checkSignal(options.signal);
  const readOnly = options.tabs === "read-only";
  if (readOnly && options.storage === "memory") throw invalid("a database in memory is nowhere else open");
  const engine = loadEngine(() => options.wasm ?? platform.wasm(), options.wasmLater, platform.wasmLater);
  if (options.storage === "memory") {
    await engine;
    checkSignal(options.signal);
    const core = await openCore(undefined, toCore(options));
    return new Database(connect(core, name, "memory", options), codecs, platform, undefined);
  }
  const host = await whenLoaded(engine, chooseHost(platform, name, options), options.signal);
  if (readOnly) {
    return openReading(platform, host, name, options, codecs);
  }
  const connection = await openWriting(host, name, options, openCore);
  return new Database(connection, codecs, platform, undefined);
}

async function openReading<K, V>(
  platform: Platform,
  first: Host,
  name: string,
  options: OpenOptions<K, V>,
  codecs: Codecs<K, V>,
): Promise<Database<K, V>> {
  let connection: Connection | undefined;
  let host = first;
  // An engine that takes the place of another has a host of its own: the other gives its back when it ends.
  const openAt = async (until: number | undefined): Promise<CoreDatabase> => {
    if (connection) host = await openHost(platform, first.mode, name, hostOptions(options));
    host.onlost = (error) => connection?.lose(error);
    return openFollowing(host, options, until);
  };
  const Follower = await loadFollower(first, options.signal);
  const follower = await Follower.open(platform, name, first, openAt);
  connection = connect(follower.core, name, first.mode, options);
  connection.cleanups.push(() => host.unlock());
  follower.attach(connection);
  return new Database(connection, codecs, platform, () => follower.refresh());
}

async function loadFollower(
  host: Host,
  signal: AbortSignal | undefined,
): Promise<typeof import("./following.js").Follower> {
  try {
    const [{ Follower }] = await Promise.all([scriptOf(import("./following.js")), loadLater()]);
    checkSignal(signal);
    return Follower;
  } catch (error) {
    host.unlock();
    throw error;
  }
}

/** The host, once the engine is there too: both are loaded at the same time. Without the engine the host is given back. */
async function whenLoaded(engine: Promise<void>, host: Promise<Host>, signal: AbortSignal | undefined): Promise<Host> {
  const [loaded, chosen] = await Promise.allSettled([engine, host]);
  try {
    if (loaded.status === "rejected") throw loaded.reason;
    checkSignal(signal);
  } catch (error) {
    if (chosen.status === "fulfilled") chosen.value.unlock();
    throw error;
  }
  if (chosen.status === "rejected") throw chosen.reason;
  return chosen.value;
}

async function openWriting<K, V>(
  host: Host,
  name: string,
  options: OpenOptions<K, V>,
  openCore: OpenCore,
): Promise<Connection> {
  const early: Error[] = [];
  host.onlost = (error) => early.push(error);
  const locking = observeLock(host);
  let connection;
  try {
    connection = connect(await openCore(host, toCore(options)), name, host.mode, options);
  } catch (error) {
    host.unlock();
    // What a signal is aborted with may be anything.
    if (locking.failure !== undefined) checkSignal(options.signal);
    throw fromPlatform(locking.failure ?? error, "IO");
  }
  watchHost(host, connection);
  if (early[0]) connection.lose(early[0]);
  announce(host.location, connection);
  return connection;
}

/** What taking the lock fails with says more than what the engine makes of it: a signal ended it, or there are no locks. */
function observeLock(host: Host): { failure?: unknown } {
  const locking: { failure?: unknown } = {};
  const lock = host.lock.bind(host);
  host.lock = async () => {
    try {
      await lock();
    } catch (error) {
      locking.failure = error;
      throw error;
    }
  };
  return locking;
}

function openFollowing<K, V>(host: Host, options: OpenOptions<K, V>, until: number | undefined): Promise<CoreDatabase> {
  return open_core(host, toCore({ ...options, history: undefined }, true, until)) as Promise<CoreDatabase>;
}

function connect<K, V>(core: unknown, name: string, mode: StorageMode, options: OpenOptions<K, V>): Connection {
  const settings: ConnectionOptions = {
    name,
    mode,
    readOnly: options.tabs === "read-only",
    durability: options.durability ?? "immediate",
    attempts: options.limits?.attempts ?? DEFAULT_ATTEMPTS,
    directory: options.directory,
    onLost: options.onLost,
  };
  return new Connection(core as CoreDatabase, settings);
}

function watchHost(host: Host, connection: Connection): void {
  // The engine holds the host: a strong reference from there would keep a database that nobody has any more.
  const reference = new WeakRef(connection);
  host.onlost = (error) => reference.deref()?.lose(error);
  connection.cleanups.push(() => host.unlock());
}

function hostOptions<K, V>(options: OpenOptions<K, V>): HostOptions {
  return {
    readOnly: options.tabs === "read-only",
    wait: options.tabs === "wait",
    signal: options.signal,
    worker: options.worker,
    directory: options.directory,
  };
}

/** The first storage that the platform lets us have. */
async function chooseHost<K, V>(platform: Platform, name: string, options: OpenOptions<K, V>): Promise<Host> {
  const wanted = options.storage ?? "auto";
  if (wanted !== "auto") return openHost(platform, wanted as HostMode, name, hostOptions(options));
  const failures: string[] = [];
  for (const mode of await byPresence(platform, name, options.directory)) {
    try {
      return await openHost(platform, mode, name, hostOptions(options));
    } catch (error) {
      if (!(error instanceof SelkieError) || !isLacking(error)) throw error;
      failures.push(`${mode}: ${error.message}`);
    }
  }
  throw new SelkieError(
    "UNAVAILABLE",
    `no storage here keeps data (${failures.join("; ")}); "memory" has to be asked for`,
  );
}

/** A database stays where it was begun, whatever the platform has learnt since: its storage comes first. */
async function byPresence(platform: Platform, name: string, directory: string | undefined): Promise<HostMode[]> {
  if (platform.modes.length < 2) return [...platform.modes];
  const asked = platform.modes.map((mode) => platform.exists(mode, name, directory).catch(() => false));
  const present = await Promise.all(asked);
  const isPresent = (mode: HostMode): boolean => present[platform.modes.indexOf(mode)] === true;
  return [...platform.modes].sort((a, b) => Number(isPresent(b)) - Number(isPresent(a)));
}

async function openHost(platform: Platform, mode: HostMode, name: string, options: HostOptions): Promise<Host> {
  if (!platform.modes.includes(mode)) throw new SelkieError("UNAVAILABLE", `there is no storage "${mode}" here`);
  try {
    return await platform.open(mode, name, options);
  } catch (error) {
    throw fromPlatform(error, "UNAVAILABLE");
  }
}

function checkPlace(name: unknown, options: PlaceOptions, modes: readonly string[]): void {
  checkName(name);
  checkNames("the options of a place", options, ["storage", "directory"]);
  oneOf("storage", options.storage, modes);
  checkDirectory(options.directory);
}

/** The host of a place for files. */
function openPlace(platform: Platform, name: string, options: PlaceOptions): Promise<Host> {
  checkPlace(name, options, ["auto", "opfs", "indexeddb", "file"]);
  return chooseHost(platform, name, options);
}

/** The same where there is a database; without one nothing is to be created. */
async function openPresent(platform: Platform, name: string, options: PlaceOptions): Promise<Host> {
  checkPlace(name, options, ["auto", "opfs", "indexeddb", "file"]);
  const { storage = "auto", directory } = options;
  for (const mode of storage === "auto" ? platform.modes : [storage as HostMode]) {
    const isThere = platform.modes.includes(mode) && (await isPresent(platform, mode, name, directory));
    if (isThere) return chooseHost(platform, name, { ...options, storage: mode });
  }
  throw new SelkieError("NOT_FOUND", `there is no database "${name}"`);
}

async function isPresent(
  platform: Platform,
  mode: HostMode,
  name: string,
  directory: string | undefined,
): Promise<boolean> {
  try {
    return await platform.exists(mode, name, directory);
  } catch (error) {
    const known = fromPlatform(error, "IO");
    if (known.code === "UNAVAILABLE" || known.code === "NOT_FOUND") return false;
    throw known;
  }
}

async function destroy(platform: Platform, name: string, options: PlaceOptions): Promise<boolean> {
  checkPlace(name, options, ["auto", "opfs", "indexeddb", "file", "memory"]);
  const { storage = "auto", directory } = options;
  if (storage === "memory") return false;
  let wasThere = false;
  const modes = storage === "auto" ? platform.modes : [storage];
  for (const mode of modes) {
    try {
      wasThere = (await platform.destroy(mode, name, directory)) || wasThere;
    } catch (error) {
      const known = fromPlatform(error, "IO");
      // What a platform does not have has no database.
      if (storage !== "auto" || (!isLacking(known) && known.code !== "NOT_FOUND")) throw known;
    }
  }
  return wasThere;
}

async function list(
  platform: Platform,
  options: { directory?: string },
): Promise<{ name: string; mode: StorageMode }[]> {
  checkNames("the options of a listing", options, ["directory"]);
  checkDirectory(options.directory);
  const { directory } = options;
  const found: { name: string; mode: StorageMode }[] = [];
  for (const mode of platform.modes) {
    try {
      for (const name of await platform.list(mode, directory)) found.push({ name, mode });
    } catch (error) {
      const known = fromPlatform(error, "IO");
      if (known.code !== "UNAVAILABLE" && known.code !== "NOT_FOUND") throw known;
    }
  }
  return found;
}

function checkName(name: unknown): asserts name is string {
  if (typeof name !== "string" || name === "" || name.length > 100) {
    throw invalid("a database has a name of 1 to 100 characters");
  }
}
