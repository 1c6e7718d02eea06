/** Loops that run for a set time and give operations a second, and the longest task of a phase. */

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

/** Runs the work and gives the longest task of the page's thread meanwhile, or zero where none was as long as the browser reports, which is 50 ms. */
export async function longestTaskMs(work: () => Promise<unknown>): Promise<number> {
  const durations: number[] = [];
  const observer = new PerformanceObserver((list) => {
    durations.push(...list.getEntries().map((entry) => entry.duration));
  });
  // The task that is running now would be counted otherwise.
  await pause(0);
  observer.observe({ type: "longtask" });
  await work();
  // Entries arrive after the task they speak of.
  await pause(100);
  durations.push(...observer.takeRecords().map((entry) => entry.duration));
  observer.disconnect();
  return Math.max(0, ...durations);
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
