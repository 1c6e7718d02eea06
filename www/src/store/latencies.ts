/** The latencies of this page's commits, the newest few thousand: from the call to the promise of durability. */

export interface Sample {
  /** Milliseconds since the page began. */
  at: number;
  ms: number;
}

const KEPT = 4000;

export class Latencies {
  #samples: Sample[] = [];

  add(at: number, ms: number): void {
    this.#samples.push({ at, ms });
    if (this.#samples.length >= KEPT * 2) this.#samples = this.#samples.slice(-KEPT);
  }

  newest(): Sample[] {
    return this.#samples.slice(-KEPT);
  }
}

/** The value below which this part of the sorted values lies. */
export function percentile(sorted: number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
