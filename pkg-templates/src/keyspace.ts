/** Keyspaces: named parts of a database with keys, and encodings, of their own. */

import type { Connection } from "./connection.js";
import type { Codecs } from "./results.js";
import { Space } from "./space.js";

/** A keyspace. It reads and commits like the database; transactions and views of the database reach it as well. */
export class Keyspace<K, V> extends Space<K, V> {
  readonly name: string;

  /** @internal */
  constructor(connection: Connection, name: string, codecs: Codecs<K, V>) {
    super(connection, codecs);
    this.name = name;
  }

  /** @internal */
  number(): number {
    return this.connection.places.number(this.name);
  }

  /** @internal */
  held(): () => number {
    return this.connection.places.held(this.name);
  }
}
