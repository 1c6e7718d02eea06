/** An explicit snapshot: a view that stays open until the snapshot is closed. */

import { AbstractSnapshot } from "abstract-level";
import type { Keyspace, Reader, View } from "selkie";
import { translate } from "./level-error.js";
import type { Data } from "./level-range.js";

export interface SnapshotRequest {
  readonly snapshot?: SelkieSnapshot;
}

export class SelkieSnapshot extends AbstractSnapshot {
  readonly #view: View<Data, Data>;
  readonly #readers = new Map<Keyspace<Data, Data>, Reader<Data, Data>>();

  constructor(options: object, view: View<Data, Data>) {
    // @ts-expect-error abstract-level's types leave out the constructor.
    super(options);
    this.#view = view;
  }

  /** Reads a keyspace as it was. */
  reader(keyspace: Keyspace<Data, Data>): Reader<Data, Data> {
    let reader = this.#readers.get(keyspace);
    if (reader === undefined) {
      reader = this.#view.keyspace(keyspace);
      this.#readers.set(keyspace, reader);
    }
    return reader;
  }

  protected async _close(): Promise<void> {
    translate(() => this.#view.close());
    this.#readers.clear();
  }
}
