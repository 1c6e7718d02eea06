/** Transactions: reads of one moment, writes of their own on top, one commit. */

import type { CoreReader, CoreSavepoint } from "#core";
import { boundsOf } from "./bounds.js";
import type { Connection } from "./connection.js";
import { takeError } from "./engine.js";
import { SelkieError, invalid } from "./error.js";
import type { Keyspace } from "./keyspace.js";
import { putOne, putTwo, secondBytes } from "./memory.js";
import type { Places } from "./places.js";
import { Reading, type Source } from "./reading.js";
import type { Codecs } from "./results.js";
import type { Commit, Durability, RangeOptions } from "./types.js";

const REMOVED = -1;

/** Reads and writes one keyspace within a transaction. */
export class TransactionKeyspace<K, V> extends Reading<K, V> {
  readonly #source: () => Source;
  readonly #writable: boolean;

  /** @internal */
  constructor(codecs: Codecs<K, V>, source: () => Source, writable: boolean) {
    super(codecs);
    this.#source = source;
    this.#writable = writable;
  }

  /** @internal */
  source(): Source {
    return this.#source();
  }

  set(key: K, value: V): void {
    const { core, space } = this.#toWrite();
    const keyBytes = putTwo(this.codecs.key.encode(key), this.codecs.value.encode(value));
    if (core.put(space, keyBytes, secondBytes) !== 0) throw takeError();
  }

  delete(key: K): void {
    const { core, space } = this.#toWrite();
    if (core.put(space, putOne(this.codecs.key.encode(key)), REMOVED) !== 0) throw takeError();
  }

  /** Deletes every key in a range, and says how many there were. */
  deleteRange(range: Pick<RangeOptions<K>, "gt" | "gte" | "lt" | "lte"> = {}): number {
    const { core, space } = this.#toWrite();
    const bounds = boundsOf(this.codecs.key, range, []);
    const lowBytes = putTwo(bounds.lowKey, bounds.highKey);
    return core.remove_range(space, bounds.low, lowBytes, bounds.high, secondBytes);
  }

  /** Reads a key that is going to be written: the commit fails if it changes meanwhile, at every isolation level. */
  getForUpdate(key: K): V | undefined {
    const { core, space } = this.#toWrite();
    return this.valueOf(core.get_for_update(space, putOne(this.codecs.key.encode(key))));
  }

  #toWrite(): Source {
    if (!this.#writable) throw new SelkieError("READ_ONLY", "the transaction was begun to read");
    return this.#source();
  }
}

/** A place in a transaction to go back to. */
export class Savepoint {
  readonly #core: CoreSavepoint;

  /** @internal */
  constructor(core: CoreSavepoint) {
    this.#core = core;
  }

  /** @internal */
  static coreOf(savepoint: Savepoint): CoreSavepoint {
    if (!(savepoint instanceof Savepoint)) throw invalid("a savepoint is what savepoint() returned");
    return savepoint.#core;
  }
}

/**
 * A transaction. It sees the moment it began at and its own writes, and ends with `commit` or `abort`.
 *
 * @example
 * const tx = db.begin();
 * tx.set("a", 1);
 * await tx.commit();
 */
export class Transaction<K, V> extends TransactionKeyspace<K, V> {
  readonly #connection: Connection;
  readonly #core: CoreReader;
  readonly #places: Places;
  readonly #durability: Durability | undefined;
  readonly #canWrite: boolean;

  /** @internal */
  constructor(
    connection: Connection,
    codecs: Codecs<K, V>,
    core: CoreReader,
    writable: boolean,
    durability: Durability | undefined,
  ) {
    const source = (): Source => {
      connection.check();
      return { core, space: 0 };
    };
    super(codecs, source, writable);
    this.#connection = connection;
    this.#core = core;
    this.#places = connection.places;
    this.#canWrite = writable;
    this.#durability = durability;
  }

  /** The same transaction in another keyspace; `KEYSPACE_NOT_FOUND` once that is dropped. */
  keyspace<K2, V2>(keyspace: Keyspace<K2, V2>): TransactionKeyspace<K2, V2> {
    this.#connection.checkKeyspace(keyspace);
    this.#connection.check();
    const number = this.#places.held(keyspace.name);
    const source = (): Source => {
      this.#connection.check();
      return { core: this.#core, space: number() };
    };
    return new TransactionKeyspace(keyspace.codecs, source, this.#canWrite);
  }

  savepoint(): Savepoint {
    return new Savepoint(this.#core.savepoint());
  }

  /** Takes back what was written since the savepoint, which stays. */
  rollbackTo(savepoint: Savepoint): void {
    this.#core.rollback_to(Savepoint.coreOf(savepoint));
  }

  /** Forgets a savepoint and keeps what was written since. */
  release(savepoint: Savepoint): void {
    this.#core.release(Savepoint.coreOf(savepoint));
  }

  /**
   * Validates and applies everything at once. The promise resolves when it is as durable as the transaction wants it, and
   * rejects with `CONFLICT` if another commit changed what this one read.
   */
  commit(): Promise<Commit> {
    try {
      if (!this.#canWrite) {
        const version = this.#core.version();
        this.#core.end();
        return Promise.resolve({ version });
      }
      return this.#connection.commit(this.#core, this.#durability);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends it without a trace. After the end it does nothing. */
  abort(): void {
    this.#core.end();
  }
}
