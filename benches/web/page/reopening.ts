/** Opening, above all of a database that is there already: the time to the first correct read, and all records compared after it. */
import type { Figures, Job } from "./jobs.js";
import { pause } from "./measure.js";
import type { Peer, Store } from "./peer.js";
import { Records, span } from "./records.js";
import { longestTaskMs } from "./tasks.js";
import { BULK_ENTRIES } from "./writes.js";

const SETTLE_MS = 300;

/** Of a database that is not there. */
export async function openNew(peer: Peer, name: string, job: Job): Promise<Figures> {
  const start = performance.now();
  const store = await peer.open(name, job.durability);
  const emptyOpenMs = performance.now() - start;
  await store.close();
  return { emptyOpenMs };
}

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

/** After the writes that were measured. */
export async function verify(peer: Peer, name: string, job: Job, versions: number[]): Promise<void> {
  const store = await peer.open(name, job.durability);
  await compare(store, new Records(job.records, versions));
  await store.close();
}

async function first(peer: Peer, name: string, job: Job, versions: number[]) {
  const records = new Records(job.records, versions);
  // So that what making them leaves to be done is over.
  await pause(SETTLE_MS);
  const start = performance.now();
  const store = await peer.open(name, job.durability);
  const opened = performance.now();
  records.check(0, await store.get(records.key(0)));
  const read = performance.now();
  await compare(store, records);
  await store.close();
  return { openMs: opened - start, readMs: read - opened };
}

async function compare(store: Store, records: Records): Promise<void> {
  for (let from = 0; from < records.count; from += BULK_ENTRIES) {
    const indices = span(from, Math.min(from + BULK_ENTRIES, records.count));
    records.checkAll(indices, await store.getMany(indices.map((index) => records.key(index))));
  }
}
