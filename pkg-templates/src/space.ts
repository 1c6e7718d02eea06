/** What a database and its keyspaces share: reading the newest state, and commits of their own. */

import type { Connection } from "./connection.js";
import { changesOf, watchRange } from "./changes.js";
import { invalid } from "./error.js";
import { putMany, putOne, putTwo, secondBytes } from "./memory.js";
import { checkNames } from "./options.js";
import { Reading, type Source } from "./reading.js";
import type { Codecs } from "./results.js";
import type {
  Change,
  Changes,
  ChangesOptions,
  Commit,
  KeyVersion,
  Operation,
  Version,
  WatchOptions,
  WriteOptions,
} from "./types.js";

const REMOVED = -1;

export abstract class Space<K, V> extends Reading<K, V> {
  /** @internal */
  readonly connection: Connection;

  /** @internal */
  constructor(connection: Connection, codecs: Codecs<K, V>) {
    super(codecs);
    this.connection = connection;
  }

  /** The number of the keyspace in the engine. @internal */
  abstract number(): number;

  /** What tells it until the keyspace is dropped. @internal */
  abstract held(): () => number;

  /** @internal */
  source(): Source {
    this.connection.check();
    return { core: this.connection.newest, space: this.number() };
  }

  /** @internal */
  override pinned(): () => Source {
    this.connection.check();
    const number = this.held();
    return () => {
      this.connection.check();
      return { core: this.connection.newest, space: number() };
    };
  }

  /** The engine's number of the durability that options ask for. @internal */
  level(options: WriteOptions | undefined): number {
    if (options === undefined) return 0;
    checkNames("the options of a write", options, ["durability"]);
    return this.connection.level(options.durability);
  }

  /** Commits a value. It is read at once; the promise resolves when it is durable. */
  set(key: K, value: V, options?: WriteOptions): Promise<Commit> {
    this.connection.checkWritable();
    const level = this.level(options);
    const space = this.number();
    const keyBytes = putTwo(this.codecs.key.encode(key), this.codecs.value.encode(value));
    const version = this.connection.core.write(space, keyBytes, secondBytes, level);
    return this.connection.committed(version, options?.durability);
  }

  /** Commits the removal of a key, whether it is there or not. */
  delete(key: K, options?: WriteOptions): Promise<Commit> {
    this.connection.checkWritable();
    const level = this.level(options);
    const space = this.number();
    const version = this.connection.core.write(space, putOne(this.codecs.key.encode(key)), REMOVED, level);
    return this.connection.committed(version, options?.durability);
  }

  /** Commits changes together: all of them or none. */
  batch(operations: readonly Operation<K, V>[], options?: WriteOptions): Promise<Commit> {
    if (!Array.isArray(operations)) throw invalid("batch takes an array of operations");
    this.connection.checkWritable();
    const { key, value } = this.codecs;
    const parts: (string | Uint8Array | undefined)[] = [];
    for (const operation of operations) {
      if (operation?.type === "set") parts.push(key.encode(operation.key), value.encode(operation.value));
      else if (operation?.type === "delete") parts.push(key.encode(operation.key), undefined);
      else throw invalid('an operation has the type "set" or "delete"');
    }
    const level = this.level(options);
    const space = this.number();
    putMany(parts);
    const version = this.connection.core.write_many(space, operations.length, level);
    return this.connection.committed(version, options?.durability);
  }

  /** The versions of a key, newest first, as far as they are kept. */
  history(key: K): KeyVersion<V>[] {
    return this.historyOf(key);
  }

  /**
   * Calls `listener` with the changes of a range, commit by commit, from now on. Returns what ends it.
   *
   * A listener that throws is reported like any uncaught error, and stays. What ends the watch by itself goes to
   * `onError`, or is reported like that: `LAGGED`, when more changes waited than `limits.watchBytes` allows. The end of
   * the database ends it quietly; of one that is lost, the option `onLost` of `open` hears.
   */
  watch(
    range: WatchOptions<K>,
    listener: (changes: readonly Change<K, V>[], at: { version: Version; time: Date }) => void,
    onError?: (error: unknown) => void,
  ): () => void {
    if (typeof listener !== "function") throw invalid("watch takes a range and a listener");
    return watchRange(this, range, listener, onError);
  }

  /** The changes of a range, commit by commit: those after `since`, and then those that come. */
  changes(options: ChangesOptions<K> = {}): AsyncIterableIterator<Changes<K, V>> {
    return changesOf(this, options);
  }
}
