/** Where the engine has the keyspaces of a database: by numbers, of which those that were dropped leave theirs to others. */

import type { CoreDatabase } from "#core";
import { SelkieError } from "./error.js";

/** A keyspace's place, until it is dropped: the next one of that name has a place of its own. */
interface Place {
  readonly number: number;
}

export class Places {
  /** Away once the engine's database was given up for another. */
  #core: CoreDatabase | undefined;
  readonly #places = new Map<string, Place>([["default", { number: 0 }]]);

  constructor(core: CoreDatabase) {
    this.#core = core;
  }

  /** The number of a keyspace that is there. One that was dropped comes back when it is opened, not when it is used. */
  number(name: string): number {
    return this.#find(name).number;
  }

  /** What tells the number for as long as the keyspace that is there now is not dropped: a view sees no other. */
  held(name: string): () => number {
    const place = this.#find(name);
    return () => {
      if (this.#places.get(name) !== place) throw notFound(name);
      return place.number;
    };
  }

  /** Opens a keyspace, which is created where there is none. */
  open(name: string): void {
    if (this.#core) this.#keep(name, this.#core.keyspace(name));
  }

  forget(name: string): void {
    this.#places.delete(name);
  }

  /** Looks again at what is known, because another tab may have dropped keyspaces and created them anew. */
  update(): void {
    if (this.#places.size === 1) return;
    const present = this.#core?.keyspaces() ?? [];
    for (const name of [...this.#places.keys()]) {
      if (present.includes(name)) this.open(name);
      else this.forget(name);
    }
  }

  /** Lets go of the engine's database, of which views are still read: they may come to any keyspace. */
  retire(): void {
    for (const name of this.#core?.keyspaces() ?? []) this.open(name);
    this.#core = undefined;
  }

  #find(name: string): Place {
    const place = this.#places.get(name);
    if (place !== undefined) return place;
    if (!this.#core?.keyspaces().includes(name)) throw notFound(name);
    return this.#keep(name, this.#core.keyspace(name));
  }

  #keep(name: string, number: number): Place {
    const known = this.#places.get(name);
    if (known?.number === number) return known;
    const place = { number };
    this.#places.set(name, place);
    return place;
  }
}

function notFound(name: string): SelkieError {
  return new SelkieError("KEYSPACE_NOT_FOUND", `there is no keyspace "${name}", or no longer`, { keyspace: name });
}
