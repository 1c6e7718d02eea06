/**
 * How long something synchronous takes. Timers are coarse (0.1 ms in Chromium, 1 ms in Firefox), so it is repeated; and
 * the machine has other work to do, so the median of a few batches is told.
 */

export interface Measured {
  us: number;
  repeats: number;
}

const BATCHES = 3;
const BATCH_MS = 5;

export function measure(work: () => unknown): Measured {
  const batches = Array.from({ length: BATCHES }, () => batch(work));
  batches.sort((one, other) => one.us - other.us);
  return batches[BATCHES >> 1]!;
}

function batch(work: () => unknown): Measured {
  const start = performance.now();
  let repeats = 0;
  let elapsed = 0;
  for (let next = 1; elapsed < BATCH_MS; next = Math.min(next * 2, 256)) {
    for (let i = 0; i < next; i++) work();
    repeats += next;
    elapsed = performance.now() - start;
  }
  return { us: (elapsed * 1000) / repeats, repeats };
}
