/** Loops that run for a set time and give operations a second. */

/** How often a loop without promises looks at the clock. */
const SYNCHRONOUS_STRIDE = 64;

export async function perSecond(durationMs: number, step: () => Promise<number>): Promise<number> {
  await runFor(durationMs / 4, step);
  return await runFor(durationMs, step);
}

async function runFor(durationMs: number, step: () => Promise<number>): Promise<number> {
  const start = performance.now();
  let operations = 0;
  let elapsed = 0;
  while (elapsed < durationMs) {
    operations += await step();
    elapsed = performance.now() - start;
  }
  return (operations * 1000) / elapsed;
}

export function perSecondSync(durationMs: number, step: () => number): number {
  runSyncFor(durationMs / 4, step);
  return runSyncFor(durationMs, step);
}

function runSyncFor(durationMs: number, step: () => number): number {
  const start = performance.now();
  let operations = 0;
  let elapsed = 0;
  while (elapsed < durationMs) {
    for (let at = 0; at < SYNCHRONOUS_STRIDE; at++) {
      operations += step();
    }
    elapsed = performance.now() - start;
  }
  return (operations * 1000) / elapsed;
}

export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
