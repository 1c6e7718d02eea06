/** Work in slices, so that the page answers while it is done, and a witness that it was so. */

export const SLICE_MS = 6;

/** Lets the browser paint and handle input before work goes on. */
export function pause(): Promise<void> {
  const scheduler = (globalThis as { scheduler?: { yield?: () => Promise<void> } }).scheduler;
  if (scheduler?.yield) return scheduler.yield();
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve();
    port2.postMessage(undefined);
  });
}

/** Calls `each` for every item, in slices of a few milliseconds. False when the signal ended it. */
export async function inSlices<T>(
  items: Iterable<T>,
  each: (item: T) => void,
  signal: AbortSignal,
  sliced?: () => void,
): Promise<boolean> {
  const iterator = items[Symbol.iterator]();
  let start = performance.now();
  for (let count = 1; ; count++) {
    const next = iterator.next();
    if (next.done) return true;
    each(next.value);
    if (count % 16 !== 0 || performance.now() - start < SLICE_MS) continue;
    sliced?.();
    await pause();
    if (signal.aborted) {
      iterator.return?.();
      return false;
    }
    start = performance.now();
  }
}

/** How many items the next slice may take, from how long the last one took. */
export function nextCount(count: number, tookMs: number): number {
  const factor = tookMs > 0 ? SLICE_MS / tookMs : 2;
  return Math.round(Math.min(4000, Math.max(50, count * Math.min(2, Math.max(0.25, factor)))));
}

/** Watches for tasks of the main thread above 50 ms. The browser reports these only; Firefox does not report them. */
export function watchLongTasks(): { longestMs(): number | undefined; stop(): void } {
  if (!PerformanceObserver.supportedEntryTypes.includes("longtask")) return { longestMs: () => undefined, stop() {} };
  let longest = 0;
  const note = (entries: PerformanceEntryList) => {
    for (const entry of entries) longest = Math.max(longest, entry.duration);
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: "longtask" });
  return {
    longestMs() {
      note(observer.takeRecords());
      return longest;
    },
    stop: () => observer.disconnect(),
  };
}
