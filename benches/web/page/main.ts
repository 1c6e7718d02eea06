/** What the runner calls in the page: the measurements of a new database, and in later pages those of its reopening. */
import type { Figures, Job, Measured } from "./jobs.js";
import { milliseconds, pause } from "./measure.js";
import { memoryMb } from "./memory.js";
import type { Peer, Store } from "./peer.js";
import { Reads } from "./reads.js";
import { Records, span } from "./records.js";
import * as reopening from "./reopening.js";
import { longestTaskMs } from "./tasks.js";
import { Writes } from "./writes.js";

const NAME = "comparison";
/** An engine that starts and stops workers should not be measured while the page itself still loads. */
const SETTLE_MS = 100;

async function load(name: string): Promise<Peer> {
  const module = (await import(`/peers/${name}/index.js`)) as { peer: Peer };
  await pause(SETTLE_MS);
  return module.peer;
}

/** A new database: it is filled and read, and where it will be gone with the page also changed. */
async function create(job: Job): Promise<Measured> {
  const records = new Records(job.records);
  const peer = await load(job.peer);
  const figures: Figures = {};
  const start = performance.now();
  const store = await peer.open(NAME, job.durability);
  figures.emptyOpenMs = performance.now() - start;
  await measureLoading(store, records, job, figures);
  // How it reads does not depend on how it syncs.
  if (job.durability !== "strict") {
    await measureReads(store, records, job, figures);
  }
  if (job.durability === "memory") {
    await measureWrites(store, records, job, figures);
  }
  await store.close();
  return { figures, versions: Array.from(records.versions) };
}

/** Apart from filling, since the faster an engine is the more it writes here, and opening should find the same with all of them. */
async function write(job: Job, versions: number[]): Promise<Measured> {
  const records = new Records(job.records, versions);
  const peer = await load(job.peer);
  const figures: Figures = {};
  const store = await peer.open(NAME, job.durability);
  await measureWrites(store, records, job, figures);
  await store.close();
  return { figures, versions: Array.from(records.versions) };
}

async function measureLoading(store: Store, records: Records, job: Job, figures: Figures): Promise<void> {
  const work = new Writes(store, records, job.durationMs);
  figures.firstPutMs = await milliseconds(() => store.put(records.key(0), records.next(0)));
  // Making them is a long task too, and none of the engine's.
  const entries = records.entries(span(0, records.count));
  figures.longestTaskMs = await longestTaskMs(async () => {
    figures.bulk = await work.bulk(entries);
  });
}

async function measureReads(store: Store, records: Records, job: Job, figures: Figures): Promise<void> {
  const work = new Reads(store, records, job.durationMs);
  figures.reads = await work.points();
  figures.readsInFlight = await work.inFlight();
  figures.readMany = await work.many();
  figures.ranges = await work.ranges();
}

async function measureWrites(store: Store, records: Records, job: Job, figures: Figures): Promise<void> {
  const work = new Writes(store, records, job.durationMs);
  // What overwrites much comes first, so that the reopening verifies every kind of commit.
  figures.transactions = await work.transactions();
  figures.deleteRangeMs = await work.deleteRange();
  figures.commits = await work.commits();
  figures.commitsInFlight = await work.commitsInFlight();
  await work.removeSome();
}

const comparison = {
  create,
  write,
  verify: async (job: Job, versions: number[]) => reopening.verify(await load(job.peer), NAME, job, versions),
  reopen: async (job: Job, versions: number[]) => reopening.reopen(await load(job.peer), NAME, job, versions),
  openNew: async (job: Job) => reopening.openNew(await load(job.peer), NAME, job),
  openCold: async (job: Job, versions: number[]) => reopening.openCold(await load(job.peer), NAME, job, versions),
  reopenLongestTask: async (job: Job) => reopening.reopenLongestTask(await load(job.peer), NAME, job),
  memory: async (job: Job): Promise<Figures> => ({ memoryMb: await memoryMb(await load(job.peer), NAME, job) }),
  destroy: async (job: Job) => void (await (await load(job.peer)).destroy(NAME)),
};
export type Comparison = typeof comparison;
Object.assign(globalThis, { comparison });
