/** Views: one moment of the data, now or in the past. */

import type { CoreReader } from "#core";
import type { Connection } from "./connection.js";
import { SelkieError } from "./error.js";
import type { Keyspace } from "./keyspace.js";
import type { Places } from "./places.js";
import { Reading, type Source } from "./reading.js";
import type { Codecs } from "./results.js";
import type { KeyVersion, Version } from "./types.js";

/** Reads one keyspace of a view or a transaction. */
export class KeyspaceReader<K, V> extends Reading<K, V> {
  readonly #source: () => Source;

  /** @internal */
  constructor(codecs: Codecs<K, V>, source: () => Source) {
    super(codecs);
    this.#source = source;
  }

  /** @internal */
  source(): Source {
    return this.#source();
  }

  /** The versions of a key up to this moment, newest first. */
  history(key: K): KeyVersion<V>[] {
    return this.historyOf(key);
  }
}

/**
 * One moment of the data. What it sees stays in memory until it is closed.
 *
 * @example
 * const past = db.asOf(new Date(Date.now() - 60_000));
 * past.get("k");
 * past.close();
 */
export class View<K, V> extends KeyspaceReader<K, V> {
  /** The newest commit when the view was made; a view as of a time sees what was there then. One of `at` has that version. */
  readonly version: Version;
  readonly #connection: Connection;
  readonly #core: CoreReader;
  readonly #places: Places;
  #closed = false;

  /** @internal */
  constructor(connection: Connection, codecs: Codecs<K, V>, core: CoreReader) {
    super(codecs, () => this.#read(0));
    this.#connection = connection;
    this.#core = core;
    this.#places = connection.places;
    this.version = core.version();
  }

  #read(space: number): Source {
    if (this.#closed) throw new SelkieError("CLOSED", "the view is closed");
    this.#connection.check();
    return { core: this.#core, space };
  }

  /** Reads another keyspace at the same moment; `KEYSPACE_NOT_FOUND` once that is dropped. */
  keyspace<K2, V2>(keyspace: Keyspace<K2, V2>): KeyspaceReader<K2, V2> {
    this.#connection.checkKeyspace(keyspace);
    const number = this.#places.held(keyspace.name);
    return new KeyspaceReader(keyspace.codecs, () => this.#read(number()));
  }

  close(): void {
    this.#closed = true;
    this.#core.end();
  }
}

/** What `using` calls, where the platform has it. */
export function addDispose(type: { prototype: object }, method: "dispose" | "asyncDispose", name: string): void {
  const symbol = (Symbol as unknown as Record<string, symbol | undefined>)[method];
  if (symbol === undefined) return;
  Object.defineProperty(type.prototype, symbol, {
    configurable: true,
    writable: true,
    value(this: Record<string, () => unknown>) {
      return this[name]?.();
    },
  });
}

export interface View<K, V> extends Disposable {}
addDispose(View, "dispose", "close");
