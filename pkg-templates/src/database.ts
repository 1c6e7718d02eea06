/** The database. */

import type { CoreReader } from "#core";
import type { Connection } from "./connection.js";
import { keyEncoding, valueEncoding } from "./encoding.js";
import { isWellFormed } from "./encoding-utf8.js";
import { SelkieError, checkSignal, invalid, isConflict } from "./error.js";
import { Keyspace } from "./keyspace.js";
import { checkDurability, checkNames, oneOf } from "./options.js";
import type { Platform } from "./platform.js";
import { recoveryOf, snapshotInfoOf, statsOf } from "./report.js";
import type { Codecs } from "./results.js";
import { Space } from "./space.js";
import { Transaction } from "./transaction.js";
import { checkTransfer, exportBlob, exportStream } from "./transfer.js";
import type {
  Durability,
  KeyspaceOptions,
  Recovery,
  SnapshotInfo,
  Stats,
  StorageInfo,
  StorageMode,
  TransactionOptions,
  TransferOptions,
  UpdateOptions,
  Version,
} from "./types.js";
import { View, addDispose } from "./view.js";

/** Attempts after which `update` waits for other tasks before it tries again. */
const EAGER_ATTEMPTS = 4;

/**
 * An open database. Its keys are those of the default keyspace.
 *
 * @example
 * const db = await open("notes");
 * await db.set("title", "Selkie");
 * db.get("title"); // "Selkie"
 * await db.close();
 */
export class Database<K, V> extends Space<K, V> {
  readonly #platform: Platform;
  /** Brings a reader up to date. */
  readonly #follow: (() => Promise<Version>) | undefined;
  readonly name: string;

  /** @internal */
  constructor(
    connection: Connection,
    codecs: Codecs<K, V>,
    platform: Platform,
    follow: (() => Promise<Version>) | undefined,
  ) {
    super(connection, codecs);
    this.name = connection.options.name;
    this.#platform = platform;
    this.#follow = follow;
  }

  /** @internal */
  number(): number {
    return 0;
  }

  /** @internal */
  held(): () => number {
    return this.number;
  }

  /** Where it keeps its files. */
  get mode(): StorageMode {
    return this.connection.options.mode;
  }

  get readOnly(): boolean {
    return this.connection.options.readOnly;
  }

  /** The newest version that reads see. */
  get version(): Version {
    this.connection.check();
    return this.connection.core.published();
  }

  /** The newest version that survives what the database's own durability names. */
  get durableVersion(): Version {
    this.connection.check();
    return this.connection.durable();
  }

  /** Whether it was closed or lost. */
  get closed(): boolean {
    return this.connection.ended;
  }

  /** What opening found and did. */
  get recovery(): Recovery {
    this.connection.check();
    return recoveryOf(this.connection.core);
  }

  /** Begins a transaction. */
  begin(options: TransactionOptions = {}): Transaction<K, V> {
    checkNames("the options of a transaction", options, ["mode", "isolation", "durability"]);
    const { mode = "readwrite", isolation = "serializable", durability } = options;
    oneOf("mode", mode, ["readwrite", "read"]);
    oneOf("isolation", isolation, ["serializable", "snapshot"]);
    const { connection, codecs } = this;
    if (mode === "read") {
      checkDurability(durability);
      connection.check();
      return new Transaction(connection, codecs, connection.core.view(), false, undefined);
    }
    connection.checkWritable();
    const core = connection.core.begin(connection.level(durability), isolation === "snapshot");
    return new Transaction(connection, codecs, core, true, durability);
  }

  /**
   * Runs `change` in a transaction and commits it, again while it conflicts with others. It may be asynchronous, and may
   * be called several times, so that its effects belong into the transaction. What it throws ends it without a trace. The
   * commit is not its business: a transaction that it ended itself is not committed again, and that is an error.
   *
   * @example
   * await db.update((tx) => { tx.set("n", (tx.get("n") ?? 0) + 1); });
   */
  async update<T>(change: (tx: Transaction<K, V>) => T | Promise<T>, options: UpdateOptions = {}): Promise<T> {
    if (typeof change !== "function") throw invalid("update takes a function");
    checkNames("the options of an update", options, ["isolation", "durability", "signal"]);
    const { signal, ...rest } = options;
    for (let attempt = 1; ; attempt++) {
      checkSignal(signal);
      const transaction = this.begin(rest);
      try {
        const value = await change(transaction);
        await transaction.commit();
        return value;
      } catch (error) {
        if (!isConflict(error) || attempt >= this.connection.options.attempts) throw error;
        await this.#afterConflict(error, attempt);
      } finally {
        transaction.abort();
      }
    }
  }

  async #afterConflict(error: SelkieError, attempt: number): Promise<void> {
    // Before the other commit is visible, another attempt would meet it again.
    if (error.version !== undefined) await this.connection.core.wait_published(error.version);
    if (attempt > EAGER_ATTEMPTS) {
      const most = Math.min(2 ** (attempt - EAGER_ATTEMPTS), 64);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * most));
    }
  }

  /** A view of what is committed now. */
  snapshotView(): View<K, V> {
    this.connection.check();
    return this.#view(this.connection.core.view());
  }

  /** A view as of a time. Reading what is no longer kept throws `HISTORY_COLLECTED`. */
  asOf(time: Date | number): View<K, V> {
    this.connection.check();
    const timeMs = time instanceof Date ? time.getTime() : time;
    if (typeof timeMs !== "number" || Number.isNaN(timeMs))
      throw invalid("asOf takes a Date or milliseconds since 1970");
    return this.#view(this.connection.core.as_of(timeMs));
  }

  /** A view as of a version. */
  at(version: Version): View<K, V> {
    this.connection.check();
    if (!Number.isSafeInteger(version) || version < 0) throw invalid(`${String(version)} is not a version`);
    return this.#view(this.connection.core.at(version));
  }

  #view(core: CoreReader): View<K, V> {
    return new View(this.connection, this.codecs, core);
  }

  /** A keyspace, which is created where there is none. */
  keyspace<V2 = V, K2 = string>(name: string, options: KeyspaceOptions<K2, V2> = {}): Keyspace<K2, V2> {
    checkKeyspaceName(name);
    checkNames("the options of a keyspace", options, ["keyEncoding", "valueEncoding"]);
    this.connection.check();
    const codecs = { key: keyEncoding(options.keyEncoding), value: valueEncoding(options.valueEncoding) };
    const { places } = this.connection;
    if (this.readOnly) places.number(name);
    else places.open(name);
    return new Keyspace(this.connection, name, codecs);
  }

  /** The names of the keyspaces, in order. */
  keyspaces(): string[] {
    this.connection.check();
    return this.connection.core.keyspaces();
  }

  /**
   * Drops a keyspace with everything in it. Its handles, views and transactions fail with `KEYSPACE_NOT_FOUND` from then
   * on, and its watches hear nothing more, also when one of its name is made anew: that is another keyspace.
   */
  async dropKeyspace(name: string): Promise<void> {
    checkKeyspaceName(name);
    this.connection.checkWritable();
    const version = this.connection.core.drop_keyspace(name);
    this.connection.places.forget(name);
    await this.connection.committed(version, undefined);
  }

  /** Waits until everything committed so far survives a power loss. */
  async sync(): Promise<void> {
    this.connection.checkWritable();
    await this.connection.core.sync();
  }

  /** Writes a snapshot, after which opening need not replay the log before it. */
  async checkpoint(): Promise<SnapshotInfo> {
    this.connection.checkWritable();
    return snapshotInfoOf((await this.connection.core.snapshot()) as number[]);
  }

  /** Drops what neither a reader nor the history needs, now and not in the background. */
  collectGarbage(): void {
    this.connection.check();
    this.connection.core.collect_garbage();
  }

  stats(): Stats {
    this.connection.check();
    return statsOf(this.connection.core);
  }

  /** Where the data is, how much the origin uses and may use, and whether it is safe from eviction. */
  async storage(): Promise<StorageInfo> {
    this.connection.check();
    return { mode: this.mode, ...(await this.#platform.usage(this.name, this.connection.options.directory)) };
  }

  /** Asks the browser not to evict the origin's data by itself. It answers whether it will keep it. */
  requestPersistence(): Promise<boolean> {
    return this.#platform.requestPersistence();
  }

  /** Everything that is committed, with its history, as one Blob, while commits go on. `restore` takes it. */
  export(options: TransferOptions = {}): Promise<Blob> {
    checkTransfer(options);
    this.connection.check();
    return exportBlob(this.connection, options);
  }

  /** The same as a stream. */
  exportStream(options: TransferOptions = {}): ReadableStream<Uint8Array> {
    checkTransfer(options);
    this.connection.check();
    return exportStream(this.connection, options);
  }

  /** Brings a database that was opened to read up to what is durable now. Others always are. */
  async refresh(): Promise<Version> {
    this.connection.check();
    return this.#follow ? this.#follow() : this.version;
  }

  /** Writes and syncs everything, and closes. */
  close(): Promise<void> {
    return this.connection.close();
  }

  /** The database's own level. */
  get durability(): Durability {
    return this.connection.options.durability;
  }
}

function checkKeyspaceName(name: unknown): asserts name is string {
  if (typeof name !== "string" || !isWellFormed(name))
    throw invalid("a keyspace's name is text without lone surrogates");
}

export interface Database<K, V> extends AsyncDisposable {}
addDispose(Database, "asyncDispose", "close");
