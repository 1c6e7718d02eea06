/** The storage and memory in use, once a second, the last ten minutes. */

import type { Store } from "./store";

export interface StorageSample {
  at: number;
  log: number;
  snapshot: number;
  live: number;
  history: number;
  memory: number;
}

const INTERVAL_MS = 1000;
const KEPT = 600;

export class StorageSamples {
  #samples: StorageSample[] = [];

  constructor(readonly store: Store) {
    setInterval(() => this.take(), INTERVAL_MS);
    store.on("opened", () => this.take());
  }

  take(): void {
    if (!this.store.isOpen || document.hidden) return;
    const { logBytes, snapshotBytes, liveBytes, historyBytes, wasmMemoryBytes } = this.store.db.stats();
    this.#samples.push({
      at: performance.now(),
      log: logBytes,
      snapshot: snapshotBytes ?? 0,
      live: liveBytes,
      history: historyBytes,
      memory: wasmMemoryBytes,
    });
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  all(): readonly StorageSample[] {
    return this.#samples;
  }
}
