/** The page's database: opened, followed, lost and opened again. There is one at a time. */

import { open, SelkieError, type Database, type Keyspace, type OpenOptions, type StorageInfo } from "selkie";
import workerAddress from "selkie/worker.js?url";
import { positionEncoding, type City, type JournalEntry, type Keyspaces, type Position } from "../data/cities";
import { Latencies } from "./latencies";
import { LEVELS, type Settings } from "./settings";

export const DATABASE = "playground";
const FOLLOW_MS = 200;

export interface StoreEvents {
  /** Another database is open now, or the same one again. */
  opened: [];
  /** Its version or its durable version moved. */
  moved: [];
  lost: [error: unknown];
}

export class Store {
  db!: Database<string, unknown>;
  keyspaces!: Keyspaces;
  stream!: Keyspace<number, string>;
  /** The worker that writes to OPFS, held so that it can be killed. Other storages have none. */
  worker: Worker | undefined;
  readonly latencies = new Latencies();
  openMs = 0;
  /** How often a database was opened here. */
  openings = 0;
  /** Set by whoever is about to take the storage away on purpose. */
  isLossExpected = false;
  #listeners: { [E in keyof StoreEvents]: Set<(...detail: StoreEvents[E]) => void> } = {
    opened: new Set(),
    moved: new Set(),
    lost: new Set(),
  };
  #seen = "";

  constructor(public settings: Settings) {
    setInterval(() => this.look(), FOLLOW_MS);
  }

  get isOpen(): boolean {
    return this.db !== undefined && !this.db.closed;
  }

  on<E extends keyof StoreEvents>(event: E, listener: (...detail: StoreEvents[E]) => void): void {
    this.#listeners[event].add(listener);
  }

  /** Opens for writing; where another tab writes already, read-only, to follow it. */
  async open(): Promise<void> {
    const start = performance.now();
    this.adopt(
      await open<string, unknown>(DATABASE, this.options()).catch((error: unknown) => {
        if (!(error instanceof SelkieError) || error.code !== "LOCKED") throw error;
        return open<string, unknown>(DATABASE, { ...this.options(), tabs: "read-only" });
      }),
      performance.now() - start,
    );
  }

  /** Waits until no other tab writes, and becomes the writer. */
  async takeOver(): Promise<void> {
    await this.close();
    const start = performance.now();
    this.adopt(await open<string, unknown>(DATABASE, { ...this.options(), tabs: "wait" }), performance.now() - start);
  }

  async reopen(settings: Settings = this.settings): Promise<void> {
    await this.close();
    this.settings = settings;
    await this.open();
  }

  async close(): Promise<void> {
    if (this.isOpen) await this.db.close();
  }

  /** What the storage says of itself; nothing where the database was closed, or lost, before it answered. */
  async askStorage(): Promise<StorageInfo | undefined> {
    const { db } = this;
    try {
      return await db.storage();
    } catch (error) {
      if (db.closed) return undefined;
      throw error;
    }
  }

  options(): OpenOptions<string, unknown> {
    this.worker = undefined;
    return {
      storage: this.settings.storage,
      durability: LEVELS[this.settings.level].durability,
      history: true,
      worker: () => (this.worker = new Worker(workerAddress, { type: "module" })),
      onLost: (error) => this.#tell("lost", error),
    };
  }

  adopt(db: Database<string, unknown>, openMs = 0): void {
    this.db = db;
    this.openMs = openMs;
    this.openings += 1;
    this.isLossExpected = false;
    this.keyspaces = {
      cities: db.keyspace<City>("cities"),
      names: db.keyspace<Position>("names", { valueEncoding: positionEncoding }),
      journal: db.keyspace<JournalEntry, number>("journal", { keyEncoding: "number" }),
    };
    this.stream = db.keyspace<string, number>("stream", { keyEncoding: "number" });
    this.#seen = "";
    this.#tell("opened");
    this.look();
  }

  /** Notes how long a commit takes to be durable. */
  track<T>(commit: Promise<T>): Promise<T> {
    const start = performance.now();
    return commit.then((result) => {
      this.latencies.add(start, performance.now() - start);
      return result;
    });
  }

  /** Versions move in this tab and in others; looking costs next to nothing. */
  look(): void {
    if (!this.isOpen) return;
    const now = `${this.db.version}/${this.db.durableVersion}`;
    if (now === this.#seen) return;
    this.#seen = now;
    this.#tell("moved");
  }

  #tell<E extends keyof StoreEvents>(event: E, ...detail: StoreEvents[E]): void {
    for (const listener of this.#listeners[event]) listener(...detail);
  }
}
