/** What the handles of one open database share: the engine's database, the promises of its commits, and its end. */

import type { CoreDatabase, CoreReader } from "#core";
import { Acknowledgements, type Stage } from "./acknowledgements.js";
import { takeError } from "./engine.js";
import { SelkieError, invalid, reportError } from "./error.js";
import { isTorn, tellWhenTorn } from "./guard.js";
import { intervalOf, levelOf, stageOf } from "./options.js";
import { Places } from "./places.js";
import type { Commit, Durability, StorageMode, Version } from "./types.js";

export interface ConnectionOptions {
  readonly name: string;
  readonly mode: StorageMode;
  readonly readOnly: boolean;
  readonly durability: Durability;
  readonly attempts: number;
  readonly directory: string | undefined;
  readonly onLost: ((error: Error) => void) | undefined;
}

/** Calls an engine that may turn out to be torn: then there is nothing in it to be stopped any more. */
function whereUsable(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!isTorn()) throw error;
  }
}

export class Connection {
  readonly options: ConnectionOptions;
  core: CoreDatabase;
  /** Reads whatever is newest. */
  newest: CoreReader;
  #acknowledgements: Acknowledgements;
  #ended: "closed" | SelkieError | undefined;
  places: Places;
  #closing: Promise<void> | undefined;
  /** Called when commits have become more durable. */
  onProgress: () => void = () => {};
  /** What is to be done at the end, whatever the end is. */
  readonly cleanups: (() => void | Promise<void>)[] = [];

  constructor(core: CoreDatabase, options: ConnectionOptions) {
    this.core = core;
    this.options = options;
    this.newest = core.newest();
    this.places = new Places(core);
    this.#acknowledgements = this.#acknowledge();
    tellWhenTorn(this);
  }

  #acknowledge(): Acknowledgements {
    return new Acknowledgements(this.core, () => this.onProgress());
  }

  /**
   * Goes on with another engine's database: a reader whose files were replaced has opened them anew. The old one ends
   * with the last of its views; its watches are woken, to go on in the new one.
   */
  replaceCore(core: CoreDatabase): void {
    const { core: old, newest, places } = this;
    this.core = core;
    this.newest = core.newest();
    this.places = new Places(core);
    this.#acknowledgements = this.#acknowledge();
    places.retire();
    old.poison("its files were replaced");
    newest.free();
    old.free();
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  check(): void {
    if (this.#ended === undefined) return;
    if (this.#ended === "closed") throw new SelkieError("CLOSED", `the database "${this.options.name}" is closed`);
    throw this.#ended;
  }

  checkWritable(): void {
    this.check();
    if (this.options.readOnly) {
      throw new SelkieError("READ_ONLY", `the database "${this.options.name}" was opened to read; another tab writes`);
    }
  }

  /** Refuses another database's keyspace, whose number would mean something else here. */
  checkKeyspace(keyspace: { connection: Connection }): void {
    if (keyspace?.connection !== this) throw invalid("a keyspace of this database is needed");
  }

  /** The engine's number of a durability level; 0 for the database's own. */
  level(durability: Durability | undefined): number {
    if (durability === undefined) return 0;
    if (typeof durability !== "object" || durability === null) return levelOf(durability);
    const { intervalMs, commits, bytes } = intervalOf(durability);
    return this.core.add_interval(intervalMs, commits, bytes);
  }

  /** The promise of a commit that was made, or its error. */
  committed(version: number, durability: Durability | undefined): Promise<Commit> {
    if (version < 0) throw takeError();
    return this.#acknowledgements.of(version, this.stage(durability ?? this.options.durability));
  }

  stage(durability: Durability): Stage {
    return this.options.mode === "memory" ? 0 : stageOf(durability);
  }

  commit(transaction: CoreReader, durability: Durability | undefined): Promise<Commit> {
    this.checkWritable();
    return this.committed(transaction.commit(), durability);
  }

  /** The newest version that is as durable as the database promises. */
  durable(): Version {
    return this.#acknowledgements.reached(this.stage(this.options.durability));
  }

  /** Makes the database unusable, for a reason that every later call tells. */
  lose(cause: unknown): void {
    if (this.#ended !== undefined) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new SelkieError("LOST", `the database "${this.options.name}" became unusable: ${reason}`, { cause });
    this.#ended = error;
    whereUsable(() => this.core.poison(reason));
    this.#cleanUp().catch(reportError);
    whereUsable(() => {
      this.core.close().catch(() => {
        // The commits that were under way have been told; there is nothing to drain any more.
      });
    });
    try {
      this.options.onLost?.(error);
    } catch (error) {
      reportError(error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#ended = "closed";
    try {
      await this.core.close();
    } finally {
      // Whoever waited for the end may tell another tab or worker that it can open the database.
      await this.#cleanUp();
    }
  }

  async #cleanUp(): Promise<void> {
    this.onProgress = () => {};
    await Promise.all(this.cleanups.splice(0).map((cleanup) => cleanup()));
  }
}
