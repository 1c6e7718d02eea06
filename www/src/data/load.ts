/** Loads the data set in slices. Each slice is one commit that also says how far it came, so that a load that was cut short goes on where it was. */

import type { Transaction } from "selkie";
import type { Store } from "../store/store";
import { plural } from "../ui/format";
import { parseLine, putNew, type City } from "./cities";
import { nextStep } from "./journal";
import { download } from "./lines";
import { nextCount, pause, watchLongTasks } from "./pace";

const IN_FLIGHT = 32;
const FIRST_COUNT = 200;

export interface LoadProgress {
  total: number;
  applied: number;
  durable: number;
}

export interface LoadReport extends LoadProgress {
  resumedAt: number;
  commits: number;
  durationMs: number;
  /** Undefined where the browser does not report long tasks; 0 when there was none above 50 ms. */
  longestTaskMs: number | undefined;
}

export interface LoadMark {
  applied: number;
  total: number;
}

const LOAD_MARK = "load";

export function loadMark(store: Store): LoadMark | undefined {
  return store.db.get(LOAD_MARK) as LoadMark | undefined;
}

export async function load(
  store: Store,
  onProgress: (progress: LoadProgress, added: City[]) => void,
  signal: AbortSignal,
): Promise<LoadReport> {
  const started = performance.now();
  const longTasks = watchLongTasks();
  const resumedAt = loadMark(store)?.applied ?? 0;
  const loader = new Loader(store, onProgress, resumedAt);
  try {
    for await (const batch of download("./cities.tsv.gzip", signal)) {
      await loader.take(batch);
      signal.throwIfAborted();
    }
    await loader.finish();
  } finally {
    longTasks.stop();
  }
  const durationMs = performance.now() - started;
  return { ...loader.progress, resumedAt, commits: loader.commits, durationMs, longestTaskMs: longTasks.longestMs() };
}

class Loader {
  readonly progress: LoadProgress;
  commits = 0;
  #seen = 0;
  #step: number;
  #count = FIRST_COUNT;
  #inFlight = new Set<Promise<unknown>>();
  #failure: unknown;

  constructor(
    readonly store: Store,
    readonly onProgress: (progress: LoadProgress, added: City[]) => void,
    readonly resumedAt: number,
  ) {
    this.#step = nextStep(store);
    this.progress = { total: 0, applied: resumedAt, durable: resumedAt };
  }

  /** The first line is the count of those that follow. */
  async take(lines: string[]): Promise<void> {
    let from = 0;
    if (this.progress.total === 0 && lines.length > 0) {
      this.progress.total = Number(lines[0]);
      from = 1;
    }
    const skipped = Math.min(lines.length - from, Math.max(0, this.resumedAt - this.#seen));
    this.#seen += lines.length - from;
    for (let at = from + skipped; at < lines.length;) {
      const slice = lines.slice(at, at + this.#count);
      at += slice.length;
      const start = performance.now();
      this.#commit(slice);
      this.#count = nextCount(slice.length, performance.now() - start);
      await pause();
      await this.#room();
    }
  }

  async finish(): Promise<void> {
    await Promise.all(this.#inFlight);
    if (this.#failure) throw this.#failure;
  }

  #commit(lines: string[]): void {
    const added: City[] = [];
    const tx = this.store.db.begin() as Transaction<string, unknown>;
    const { cities, names, journal } = this.store.keyspaces;
    for (const line of lines) {
      const { key, city } = parseLine(line);
      putNew(tx.keyspace(cities), tx.keyspace(names), key, city);
      added.push(city);
    }
    const applied = this.progress.applied + lines.length;
    tx.keyspace(journal).set(this.#step++, { did: "load", what: plural(lines.length, "place") });
    tx.set(LOAD_MARK, { applied, total: this.progress.total } satisfies LoadMark);
    this.#follow(tx.commit(), applied);
    this.commits += 1;
    this.progress.applied = applied;
    this.onProgress(this.progress, added);
  }

  #follow(commit: Promise<unknown>, applied: number): void {
    const followed = this.store.track(commit).then(
      () => {
        this.progress.durable = applied;
        this.onProgress(this.progress, []);
      },
      (error: unknown) => {
        this.#failure ??= error;
      },
    );
    this.#inFlight.add(followed);
    void followed.finally(() => this.#inFlight.delete(followed));
  }

  /** Waits while too many commits are on their way to the storage. */
  async #room(): Promise<void> {
    while (this.#inFlight.size >= IN_FLIGHT) await Promise.race(this.#inFlight);
    if (this.#failure) throw this.#failure;
  }
}
