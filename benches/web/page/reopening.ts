/** A database that is there already: the time to the first correct read, and all records compared after it. */
import type { Figures, Job } from "./jobs.js";
import type { Peer, Store } from "./peer.js";
import { Records, span } from "./records.js";
import { longestTaskMs } from "./tasks.js";
import { BULK_ENTRIES } from "./writes.js";

/** In a page of the same browser. */
export async function reopen(peer: Peer, name: string, job: Job, versions: number[]): Promise<Figures> {
  const { openMs, readMs } = await first(peer, name, job, versions);
  return { reopenMs: openMs + readMs };
}

/** In a browser that was just started, and has nothing of the database in memory. */
export async function openCold(peer: Peer, name: string, job: Job, versions: number[]): Promise<Figures> {
  const { openMs, readMs } = await first(peer, name, job, versions);
  return { coldOpenMs: openMs, coldReadMs: readMs, coldMs: openMs + readMs };
}

/** Apart from the figures above, since waiting for the browser's report of long tasks would be part of them. */
export async function reopenLongestTask(peer: Peer, name: string, job: Job): Promise<Figures> {
  const longest = await longestTaskMs(async () => {
    const store = await peer.open(name, job.durability);
    await store.get("");
    await store.close();
  });
  return { reopenLongestTaskMs: longest };
}

/** The first read is of a record that the last commits changed. */
async function first(peer: Peer, name: string, job: Job, versions: number[]) {
  const records = new Records(job.records, versions);
  const newest = versions.indexOf(Math.max(...versions.slice(0, BULK_ENTRIES)));
  const start = performance.now();
  const store = await peer.open(name, job.durability);
  const opened = performance.now();
  records.check(newest, await store.get(records.key(newest)));
  const read = performance.now();
  await verify(store, records);
  await store.close();
  return { openMs: opened - start, readMs: read - opened };
}

async function verify(store: Store, records: Records): Promise<void> {
  for (let from = 0; from < records.count; from += BULK_ENTRIES) {
    const indices = span(from, Math.min(from + BULK_ENTRIES, records.count));
    records.checkAll(indices, await store.getMany(indices.map((index) => records.key(index))));
  }
}
