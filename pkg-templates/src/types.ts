/** What the package's types say: the options, the shapes that are returned, and what a reader offers. */

/** The number of a commit: later commits have greater numbers. */
export type Version = number;

/** Where a database keeps its files. `auto` takes OPFS, else IndexedDB, and in Node the file system; never memory. */
export type StorageChoice = "auto" | "opfs" | "indexeddb" | "file" | "memory";

/** Where a database keeps its files, as it was found. */
export type StorageMode = "opfs" | "indexeddb" | "file" | "memory";

/**
 * What a commit survives once its promise resolves.
 *
 * | level | the page or browser crashes | power loss |
 * |---|---|---|
 * | `none` | nothing is promised | nothing is promised |
 * | `queued` | all but what is in the bounded queue | nothing is promised |
 * | `buffered` | yes | nothing is promised |
 * | an interval | yes | all but the last interval, whichever limit comes first |
 * | `immediate` | yes | yes |
 */
export type Durability =
  | "none"
  | "queued"
  | "buffered"
  | "immediate"
  | { intervalMs: number; commits?: number; bytes?: number };

/** How long superseded values can be read: `false` not at all, `true` for ever. It is stored with the data. */
export type History = boolean | { versions: number } | { ageMs: number };

/** What a second open of the same database does while another tab has it. */
export type Tabs = "fail" | "wait" | "read-only";

/** How keys or values become bytes: one of the built-in encodings by name, or the user's own. */
export type KeyEncoding<K> = "utf8" | "binary" | "number" | "tuple" | Encoding<K>;
export type ValueEncoding<V> = "json" | "utf8" | "binary" | Encoding<V>;

/** An encoding of the user's own. Keys order by their bytes. `decode` gets bytes that are its own to keep. */
export interface Encoding<T> {
  readonly name?: string;
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** What a key of the encoding `tuple` consists of. They order by type, in this order of types, and then by value. */
export type TuplePart = null | boolean | number | string | Uint8Array | readonly TuplePart[];
export type Tuple = readonly TuplePart[];

export interface KeyspaceOptions<K, V> {
  keyEncoding?: KeyEncoding<K>;
  valueEncoding?: ValueEncoding<V>;
}

export interface OpenOptions<K = string, V = unknown> extends KeyspaceOptions<K, V> {
  /** Default `auto`. */
  storage?: StorageChoice;
  /** Default `immediate`, as in the crate. */
  durability?: Durability;
  /** Default `applied`: a commit is read at once, and its promise says when it is durable. */
  visibility?: "applied" | "durable";
  /** Left out: as it was stored, and none for a new database. */
  history?: History;
  /** Default `fail`. */
  tabs?: Tabs;
  /** Ends waiting for another tab, or the opening. */
  signal?: AbortSignal;
  /** When a snapshot is written by itself: after so many bytes of log, at an interval, or never. */
  snapshots?: { logBytes: number } | { intervalMs: number } | "never";
  limits?: Limits;
  /** The directory that holds databases, for the storage `file`. Default: the current directory. */
  directory?: string;
  /** The compiled engine, where it is not to be loaded from beside the script. */
  wasm?: URL | string | Response | Promise<Response> | WebAssembly.Module | BufferSource;
  /** The same for the rest of it, which is loaded by the first export, import, follower or reading of past changes. */
  wasmLater?: OpenOptions["wasm"];
  /** Starts the worker that writes to OPFS, where it is not to be started from beside the script. */
  worker?: () => Worker;
  /** Called once if the database becomes unusable: a worker died, storage was cleared, another tab took over. */
  onLost?: (error: Error) => void;
}

export interface Limits {
  transactionBytes?: number;
  queueBytes?: number;
  /** Beyond so many bytes of superseded values, each with 64 more, commits are refused. */
  historyBytes?: number;
  watchBytes?: number;
  attempts?: number;
  /** Beyond so many of the same bytes, the views and transactions that hold them back are ended, oldest first. */
  readerBytes?: number;
  /** For how long a view or a transaction may hold back what is superseded. */
  readerTimeMs?: number;
}

export interface TransactionOptions {
  mode?: "readwrite" | "read";
  durability?: Durability;
  isolation?: "serializable" | "snapshot";
}

export interface UpdateOptions extends Omit<TransactionOptions, "mode"> {
  signal?: AbortSignal;
}

export interface WriteOptions {
  durability?: Durability;
}

/** What became of a commit. */
export interface Commit {
  readonly version: Version;
}

export interface RangeOptions<K> {
  gt?: K;
  gte?: K;
  lt?: K;
  lte?: K;
  reverse?: boolean;
  /** Default: no limit. */
  limit?: number;
  /** Entries to pass over first. */
  offset?: number;
}

export type Operation<K, V> =
  | { type: "set"; key: K; value: V }
  | { type: "delete"; key: K };

/** A version of a key. `value` is undefined, and `deleted` true, where it was removed. */
export interface KeyVersion<V> {
  readonly version: Version;
  readonly time: Date;
  readonly deleted: boolean;
  readonly value: V | undefined;
}

export interface Change<K, V> {
  readonly keyspace: string;
  readonly key: K;
  readonly type: "set" | "delete";
  readonly value: V | undefined;
}

/** The changes of one commit. */
export interface Changes<K, V> {
  readonly version: Version;
  readonly time: Date;
  readonly changes: readonly Change<K, V>[];
}

export interface WatchOptions<K> {
  gt?: K;
  gte?: K;
  lt?: K;
  lte?: K;
  prefix?: K;
}

export interface ChangesOptions<K> extends WatchOptions<K> {
  /** Begins after this version; left out, with what is committed from now on. */
  since?: Version;
  /** False ends after what is committed already. Default true. */
  live?: boolean;
  signal?: AbortSignal;
}

/** A sequence of results that is read lazily, from one moment of the data. */
export interface Results<T> extends Iterable<T> {
  /** Everything at once. */
  all(): T[];
  first(): T | undefined;
}

/** What can be read of one moment: the newest, a past one, or a transaction's. */
export interface Reader<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  getMany(keys: readonly K[]): (V | undefined)[];
  range(options?: RangeOptions<K>): Results<[K, V]>;
  entries(options?: RangeOptions<K>): Results<[K, V]>;
  keys(options?: RangeOptions<K>): Results<K>;
  values(options?: RangeOptions<K>): Results<V>;
  /** Entries whose keys begin with a prefix. */
  prefix(prefix: K, options?: { reverse?: boolean; limit?: number; offset?: number }): Results<[K, V]>;
  count(options?: RangeOptions<K>): number;
}

export interface StorageInfo {
  readonly mode: StorageMode;
  /** Bytes that the origin uses, and may use; undefined where the platform does not say. */
  readonly usage: number | undefined;
  readonly quota: number | undefined;
  /** Whether the browser promised not to evict it by itself. */
  readonly persisted: boolean;
}

export interface Recovery {
  readonly created: boolean;
  readonly snapshot: string | undefined;
  readonly snapshotEntries: number;
  readonly segments: number;
  readonly framesReplayed: number;
  readonly bytesCut: number;
  readonly ignoredFiles: readonly string[];
  readonly durationMs: number;
}

export interface Stats {
  readonly keys: number;
  readonly versions: number;
  readonly liveBytes: number;
  readonly historyBytes: number;
  readonly version: Version;
  readonly durableVersion: Version;
  readonly readers: number;
  readonly oldestReader: Version;
  /** For how long the one that is open longest has been noticed. */
  readonly longestReaderMs: number;
  readonly readersEnded: number;
  readonly queuedBytes: number;
  readonly stalls: number;
  readonly logBytes: number;
  readonly logWrites: number;
  readonly logSyncs: number;
  readonly logRotations: number;
  readonly snapshotVersion: Version | undefined;
  readonly snapshotBytes: number | undefined;
  readonly snapshotFailures: number;
  readonly snapshotError: string | undefined;
  readonly poisoned: string | undefined;
  readonly wasmMemoryBytes: number;
}

export interface SnapshotInfo {
  readonly version: Version;
  readonly bytes: number;
  readonly entries: number;
}

export interface Progress {
  /** Bytes so far. */
  readonly bytes: number;
  /** Bytes in all, where that is known. */
  readonly total: number | undefined;
}

export interface TransferOptions {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

/** Stable names of what can go wrong. */
export type ErrorCode =
  | "ABORTED" // a signal ended it, or a transaction was used after its end
  | "CLOSED" // the handle is closed
  | "CONFLICT" // another commit changed what this one read: try again
  | "CORRUPTED" // a file is damaged: `file`, `offset`
  | "DURABILITY_UNKNOWN" // writing failed: reopen to learn what survived
  | "ENCODING" // a key or value is not one for its encoding
  | "EXISTS" // there is a database of that name already
  | "HISTORY_COLLECTED" // what was asked for is no longer kept
  | "INVALID_ARGUMENT"
  | "IO" // the storage failed: `file`, `operation`
  | "KEYSPACE_NOT_FOUND"
  | "LAGGED" // a watch fell behind: go on with changes({ since: error.version })
  | "LIMIT" // a limit was exceeded
  | "LOCKED" // another tab has it
  | "LOST" // the database became unusable under way: reopen it, or load the page again if the message says so
  | "NOT_FOUND" // no such database
  | "POISONED" // writing stopped after an earlier error: reopen
  | "QUOTA" // the storage is full
  | "READER_ENDED" // a limit ended the view or transaction at `version`: begin another
  | "READ_ONLY"
  | "UNAVAILABLE" // the platform has no such storage
  | "UNSUPPORTED_FORMAT"; // written by a later version
