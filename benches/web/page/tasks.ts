/** For how long the page's thread was busy at a stretch: as the browser reports it, or else as a timer notices it. */
import { pause } from "./measure.js";

/** What a browser calls a long task. Shorter ones are not told apart, in either way. */
const LONG_MS = 50;
/** Browsers wait no less between timers that start each other. */
const TIMER_MS = 4;
const REPORT_MS = 100;

/** Runs the work and gives the longest task meanwhile, or zero where none was long. */
export async function longestTaskMs(work: () => Promise<unknown>): Promise<number> {
  // The task that is running now would be counted otherwise.
  await pause(0);
  const reports = PerformanceObserver.supportedEntryTypes.includes("longtask");
  const end = reports ? observe() : probe();
  await work();
  const longest = await end();
  return longest < LONG_MS ? 0 : longest;
}

function observe(): () => Promise<number> {
  const durations: number[] = [];
  const keep = (entries: PerformanceEntryList) => durations.push(...entries.map((entry) => entry.duration));
  const observer = new PerformanceObserver((list) => keep(list.getEntries()));
  observer.observe({ type: "longtask" });
  return async () => {
    // Entries arrive after the task they speak of.
    await pause(REPORT_MS);
    keep(observer.takeRecords());
    observer.disconnect();
    return Math.max(0, ...durations);
  };
}

/** How late a timer of a few milliseconds was at most. */
function probe(): () => Promise<number> {
  let [longest, last] = [0, performance.now()];
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last - TIMER_MS);
    last = now;
  };
  const timer = setInterval(tick, TIMER_MS);
  return async () => {
    await pause(TIMER_MS);
    clearInterval(timer);
    tick();
    return longest;
  };
}
