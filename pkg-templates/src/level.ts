/**
 * Selkie as an abstract-level database, for what is written against the Level ecosystem. Keys and values are in the
 * default keyspace, or a named one, as the encodings leave them; Selkie's own API reads the same data.
 *
 * Every iterator reads from a view of its own, which is its implicit snapshot.
 */

import { AbstractLevel } from "abstract-level";
import type {
  AbstractBatchOperation,
  AbstractBatchOptions,
  AbstractChainedBatch,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractPutOptions,
} from "abstract-level";
import { databases, open } from "selkie";
import type { Database, Durability, Keyspace, OpenOptions, Operation, Reader, WriteOptions } from "selkie";
import { LevelError, settle, translate } from "./level-error.js";
import { SelkieIterator, SelkieKeyIterator, SelkieValueIterator } from "./level-iterator.js";
import { encodingOf, range, toBytes, type Data, type Format, type Formats, type RangeRequest } from "./level-range.js";
import { SelkieSnapshot, type SnapshotRequest } from "./level-snapshot.js";

export interface SelkieLevelOptions<K, V>
  extends AbstractDatabaseOptions<K, V>, Omit<OpenOptions, "keyEncoding" | "valueEncoding"> {
  /** The keyspace that holds the data. Default: `default`. */
  keyspace?: string;
}

export interface LevelWriteOptions {
  /** What this write survives, where it is not the database's durability. */
  durability?: Durability;
  /** The same as `durability: "immediate"`, by the name that classic-level has for it. */
  sync?: boolean;
}

interface Put extends Formats {
  readonly type: "put";
  readonly key: Data;
  readonly value: Data;
}
interface Del extends Pick<Formats, "keyEncoding"> {
  readonly type: "del";
  readonly key: Data;
}

type ReadRequest = Formats & SnapshotRequest;
type Opening = OwnOptions & { createIfMissing: boolean; errorIfExists: boolean };
type OwnOptions = Pick<SelkieLevelOptions<unknown, unknown>, (typeof OWN_OPTIONS)[number]>;

/** The options that are Selkie's. The others are abstract-level's and its hooks'. */
const OWN_OPTIONS = [
  "storage",
  "durability",
  "visibility",
  "history",
  "tabs",
  "signal",
  "snapshots",
  "limits",
  "directory",
  "wasm",
  "wasmLater",
  "worker",
  "onLost",
  "keyspace",
] as const satisfies readonly (keyof SelkieLevelOptions<unknown, unknown>)[];

export class SelkieLevel<KDefault = string, VDefault = string> extends AbstractLevel<Data, KDefault, VDefault> {
  readonly #name: string;
  readonly #options: OwnOptions;
  readonly #handles = new Map<string, Keyspace<Data, Data>>();
  #keyspace = "default";
  #database: Database<Data, Data> | undefined;

  constructor(name: string, options?: SelkieLevelOptions<KDefault, VDefault>) {
    const stored = options?.storage !== "memory";
    const manifest = {
      encodings: { utf8: true, view: true },
      implicitSnapshots: true,
      explicitSnapshots: true,
      seek: true,
      has: true,
      getSync: true,
      permanence: stored,
      createIfMissing: stored,
      errorIfExists: stored,
      signals: { iterators: true },
    };
    const { own, others } = divide(options ?? {});
    super(manifest, others as SelkieLevelOptions<KDefault, VDefault>);
    this.#name = name;
    this.#options = own;
  }

  get location(): string {
    return this.#name;
  }

  /** The database underneath, while this one is open. */
  get database(): Database<Data, Data> | undefined {
    return this.status === "open" ? this.#database : undefined;
  }

  protected async _open(options: Opening): Promise<void> {
    // Memory is kept from one opening to the next, as by memory-level.
    if (this.#database !== undefined) return;
    const { keyspace = "default", ...own } = { ...this.#options, ...divide(options).own };
    await settle(async () => {
      if (!options.createIfMissing && !(await this.#exists(own))) {
        throw new LevelError("LEVEL_NOT_FOUND", `the database "${this.#name}" does not exist`);
      }
      const database = await open<Data, Data>(this.#name, { ...own, keyEncoding: "binary", valueEncoding: "binary" });
      if (options.errorIfExists && !database.recovery.created) {
        await database.close();
        throw new LevelError("LEVEL_EXISTS", `the database "${this.#name}" exists already`);
      }
      this.#keyspace = keyspace;
      this.#database = database;
    });
  }

  async #exists(options: OpenOptions): Promise<boolean> {
    const { storage = "auto", directory } = options;
    const found = await databases(directory === undefined ? {} : { directory });
    return found.some(({ name, mode }) => name === this.#name && (storage === "auto" || storage === mode));
  }

  protected async _close(): Promise<void> {
    const database = this.#opened();
    if (database.mode === "memory") return;
    await settle(() => database.close());
    this.#database = undefined;
    this.#handles.clear();
  }

  protected async _get(key: Data, options: ReadRequest): Promise<Data | undefined> {
    return this._getSync(key, options);
  }

  protected _getSync(key: Data, options: ReadRequest): Data | undefined {
    return translate(() => this.#reader(options).get(key));
  }

  protected async _getMany(keys: Data[], options: ReadRequest): Promise<(Data | undefined)[]> {
    return translate(() => this.#reader(options).getMany(keys));
  }

  protected async _has(key: Data, options: ReadRequest): Promise<boolean> {
    return translate(() => this.#reader(options).has(key));
  }

  protected async _hasMany(keys: Data[], options: ReadRequest): Promise<boolean[]> {
    return translate(() => {
      const reader = this.#reader(options);
      return keys.map((key) => reader.has(key));
    });
  }

  protected async _put(key: Data, value: Data, options: Formats & LevelWriteOptions): Promise<void> {
    await settle(() => this.#handle(options.keyEncoding, options.valueEncoding).set(key, value, durability(options)));
  }

  protected async _del(key: Data, options: Formats & LevelWriteOptions): Promise<void> {
    await settle(() => this.#handle(options.keyEncoding, "view").delete(key, durability(options)));
  }

  protected async _batch(operations: (Put | Del)[], options: LevelWriteOptions): Promise<void> {
    const keys = common(operations.map((operation) => operation.keyEncoding));
    const values = common(operations.flatMap((operation) => (operation.type === "put" ? operation.valueEncoding : [])));
    const converted = operations.map((operation): Operation<Data, Data> => {
      const key = keys === "view" ? toBytes(operation.key) : operation.key;
      if (operation.type === "del") return { type: "delete", key };
      return { type: "set", key, value: values === "view" ? toBytes(operation.value) : operation.value };
    });
    await settle(() => this.#handle(keys, values).batch(converted, durability(options)));
  }

  /** Removes a range in one commit. */
  protected async _clear(options: RangeRequest & SnapshotRequest & LevelWriteOptions): Promise<void> {
    const { keyEncoding } = options;
    const handle = this.#handle(keyEncoding, "view");
    await settle(async () => {
      const wanted = range(options);
      if (wanted === undefined) return;
      if (options.snapshot === undefined && options.limit < 0) {
        const { reverse, ...bounds } = wanted;
        await this.#opened().update((tx) => tx.keyspace(handle).deleteRange(bounds), durability(options));
        return;
      }
      const reader = this.#reader({ ...options, valueEncoding: "view" });
      const keys = reader.keys({ ...wanted, ...(options.limit < 0 ? {} : { limit: options.limit }) }).all();
      await handle.batch(
        keys.map((key) => ({ type: "delete", key })),
        durability(options),
      );
    });
  }

  protected _iterator(options: RangeRequest & ReadRequest): SelkieIterator<this> {
    return translate(() => new SelkieIterator(this, options, this.#source(options)));
  }

  protected _keys(options: RangeRequest & ReadRequest): SelkieKeyIterator<this> {
    return translate(() => new SelkieKeyIterator(this, options, this.#source(options)));
  }

  protected _values(options: RangeRequest & ReadRequest): SelkieValueIterator<this> {
    return translate(() => new SelkieValueIterator(this, options, this.#source(options)));
  }

  protected _snapshot(options: object): SelkieSnapshot {
    return translate(() => new SelkieSnapshot(options, this.#opened().snapshotView()));
  }

  /** What an iterator reads from, and how that is let go. */
  #source(options: ReadRequest): { reader: Reader<Data, Data>; release: () => void } {
    const handle = this.#handle(options.keyEncoding, options.valueEncoding);
    if (options.snapshot !== undefined) return { reader: options.snapshot.reader(handle), release: () => {} };
    const view = this.#opened().snapshotView();
    return { reader: view.keyspace(handle), release: () => view.close() };
  }

  #reader(options: ReadRequest): Reader<Data, Data> {
    const handle = this.#handle(options.keyEncoding, options.valueEncoding);
    return options.snapshot === undefined ? handle : options.snapshot.reader(handle);
  }

  /** The keyspace, with the encodings that give and take what the formats say. */
  #handle(keys: Format, values: Format): Keyspace<Data, Data> {
    const formats = keys + values;
    const known = this.#handles.get(formats);
    if (known !== undefined) return known;
    const handle = this.#opened().keyspace<Data, Data>(this.#keyspace, {
      keyEncoding: encodingOf(keys),
      valueEncoding: encodingOf(values),
    });
    this.#handles.set(formats, handle);
    return handle;
  }

  #opened(): Database<Data, Data> {
    if (this.#database === undefined) throw new LevelError("LEVEL_DATABASE_NOT_OPEN", "Database is not open");
    return this.#database;
  }
}

/** The options of writing that abstract-level does not know of. */
export interface SelkieLevel<KDefault, VDefault> {
  put(key: KDefault, value: VDefault): Promise<void>;
  put<K = KDefault, V = VDefault>(
    key: K,
    value: V,
    options: AbstractPutOptions<K, V> & LevelWriteOptions,
  ): Promise<void>;
  del(key: KDefault): Promise<void>;
  del<K = KDefault>(key: K, options: AbstractDelOptions<K> & LevelWriteOptions): Promise<void>;
  batch(operations: AbstractBatchOperation<this, KDefault, VDefault>[]): Promise<void>;
  batch<K = KDefault, V = VDefault>(
    operations: AbstractBatchOperation<this, K, V>[],
    options: AbstractBatchOptions<K, V> & LevelWriteOptions,
  ): Promise<void>;
  batch(): AbstractChainedBatch<this, KDefault, VDefault>;
}

function durability(options: LevelWriteOptions): WriteOptions {
  if (options.durability !== undefined) return { durability: options.durability };
  return options.sync === true ? { durability: "immediate" } : {};
}

function divide(options: object): { own: OwnOptions; others: object } {
  const isOwn = ([name]: [string, unknown]) => (OWN_OPTIONS as readonly string[]).includes(name);
  const entries = Object.entries(options);
  return {
    own: Object.fromEntries(entries.filter(isOwn)),
    others: Object.fromEntries(entries.filter((entry) => !isOwn(entry))),
  };
}

/** The format that all have, or bytes, which all can become. */
function common(formats: Format[]): Format {
  return formats.length > 0 && formats.every((format) => format === "utf8") ? "utf8" : "view";
}
