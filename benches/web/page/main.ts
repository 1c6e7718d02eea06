/** What the runner calls in the page: the measurements of a new database, and after a reload those of its reopening. */
import { longestTaskMs, milliseconds, pause } from "./measure.js";
import type { Durability, Entry, Peer, Store } from "./peer.js";
import { Records } from "./records.js";
import { BULK_ENTRIES, Workloads } from "./workloads.js";

const NAME = "bench";
/** An engine that starts and stops workers should not be measured while the page itself still loads. */
const SETTLE_MS = 100;

export interface Job {
  peer: string;
  durability: Durability;
  records: number;
  durationMs: number;
}

/** Figures by the name of their row. */
export type Figures = Record<string, number | undefined>;

async function load(name: string): Promise<Peer> {
  const module = (await import(`/peers/${name}/index.js`)) as { peer: Peer };
  await pause(SETTLE_MS);
  return module.peer;
}

async function opened(peer: Peer, durability: Durability): Promise<[store: Store, openMs: number]> {
  const start = performance.now();
  const store = await peer.open(NAME, durability);
  return [store, performance.now() - start];
}

async function measure(job: Job): Promise<{ figures: Figures; versions: number[] }> {
  const records = new Records(job.records);
  const entries = records.entries();
  const peer = await load(job.peer);
  const figures: Figures = {};
  const [store, openMs] = await opened(peer, job.durability);
  figures.emptyOpenMs = openMs;
  const work = new Workloads(store, records, job.durationMs);
  const [key, value] = entries[0] as Entry;
  figures.firstPutMs = await milliseconds(() => store.put(key, value));
  figures.longestTaskMs = await longestTaskMs(async () => {
    figures.bulk = await work.bulk(entries);
  });
  if (job.durability === "relaxed") {
    figures.reads = await work.reads();
    figures.readsInFlight = await work.readsInFlight();
    figures.readMany = await work.readMany();
    figures.ranges = await work.ranges();
  }
  figures.commits = await work.commits();
  figures.commitsInFlight = await work.commitsInFlight();
  await store.close();
  return { figures, versions: Array.from(records.versions) };
}

/** The first read after reopening is one that the last commits changed, and all records are compared after it. */
async function reopen(job: Job, versions: number[]): Promise<Figures> {
  const records = new Records(job.records, versions);
  const peer = await load(job.peer);
  const newest = versions.indexOf(Math.max(...versions.slice(0, 1000)));
  const start = performance.now();
  const store = await peer.open(NAME, job.durability);
  records.check(newest, await store.get(records.key(newest)));
  const reopenMs = performance.now() - start;
  await verify(store, records);
  await store.close();
  await peer.destroy(NAME);
  return { reopenMs };
}

/** Reopening apart from the figure above, since waiting for the browser's report of long tasks would be part of it. */
async function reopenLongestTask(job: Job): Promise<Figures> {
  const peer = await load(job.peer);
  const longest = await longestTaskMs(async () => {
    const store = await peer.open(NAME, job.durability);
    await store.get("");
    await store.close();
  });
  return { reopenLongestTaskMs: longest };
}

async function verify(store: Store, records: Records): Promise<void> {
  for (let from = 0; from < records.count; from += BULK_ENTRIES) {
    const keys = records.keys.slice(from, from + BULK_ENTRIES);
    const values = await store.getMany(keys);
    keys.forEach((_, at) => records.check(from + at, values[at]));
  }
}

const bench = { measure, reopen, reopenLongestTask };
export type Bench = typeof bench;
Object.assign(globalThis, { bench });
