/** The newest of several calls counts: the one before is told to stop. */

export class Newest {
  #controller = new AbortController();

  /** A signal that holds until the next call. */
  next(): AbortSignal {
    this.#controller.abort();
    this.#controller = new AbortController();
    return this.#controller.signal;
  }

  stop(): void {
    this.#controller.abort();
  }
}

/** Calls at most once in an interval, and once more at the end. */
export function atMostEvery(intervalMs: number, work: () => unknown): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  return () => {
    if (timer !== undefined) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        last = performance.now();
        work();
      },
      Math.max(0, last + intervalMs - performance.now()),
    );
  };
}
