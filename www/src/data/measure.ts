/** How long something synchronous takes. Timers are coarse (0.1 ms in Chromium, 1 ms in Firefox), so it is repeated and the mean is told. */

export interface Measured {
  meanUs: number;
  repeats: number;
}

const LEAST_MS = 6;
const MOST_REPEATS = 5000;

export function measure(work: () => unknown): Measured {
  let repeats = 0;
  let elapsed = 0;
  const start = performance.now();
  for (let batch = 1; elapsed < LEAST_MS && repeats < MOST_REPEATS; batch = Math.min(batch * 2, 256)) {
    for (let i = 0; i < batch; i++) work();
    repeats += batch;
    elapsed = performance.now() - start;
  }
  return { meanUs: (elapsed * 1000) / repeats, repeats };
}
