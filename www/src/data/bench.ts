/** Reads of the page's own data, and commits to a database of their own that is destroyed afterwards. */

import { destroy, open, type Durability } from "selkie";
import type { Store } from "../store/store";
import { percentile } from "../store/latencies";
import { measure } from "./measure";
import { inSlices, pause } from "./pace";

export interface ReadFigures {
  get: number;
  range: number;
  count: number;
}

export interface CommitFigures {
  label: string;
  perSecond: number;
  p50: number;
  p99: number;
}

const KEYS = 256;
/** A prime, so that the samples spread over all places. */
const STRIDE = 7919;
const COMMIT_MS = 700;
const IN_FLIGHT = 50;
const SCRATCH = "playground-scratch";

/** Keys from all over the keyspace, in no order that a cache would like. */
export async function sampleKeys({ keyspaces: { cities } }: Store, signal: AbortSignal): Promise<string[]> {
  const total = cities.count();
  const offsets = Array.from({ length: Math.min(KEYS, total) }, (_, i) => (i * STRIDE) % total);
  const keys: string[] = [];
  await inSlices(offsets, (offset) => keys.push(cities.keys({ offset, limit: 1 }).first()!), signal);
  return keys;
}

/** Microseconds for one read each, of these keys in turn; undefined when the signal ended it. */
export async function measureReads(
  store: Store,
  keys: string[],
  signal: AbortSignal,
): Promise<ReadFigures | undefined> {
  const { cities } = store.keyspaces;
  let next = 0;
  const key = () => keys[next++ % keys.length]!;
  const get = measure(() => cities.get(key())).us;
  await pause();
  if (signal.aborted) return undefined;
  const range = measure(() => cities.range({ gte: key(), limit: 100 }).all()).us;
  await pause();
  if (signal.aborted) return undefined;
  return { get, range, count: measure(() => cities.count()).us };
}

const RUNS: [label: string, durability: Durability, inFlight: number][] = [
  ["Immediate, one after the other", "immediate", 1],
  [`Immediate, ${IN_FLIGHT} in flight`, "immediate", IN_FLIGHT],
  ["Buffered, one after the other", "buffered", 1],
  [`Buffered, ${IN_FLIGHT} in flight`, "buffered", IN_FLIGHT],
];

export async function* measureCommits(store: Store): AsyncGenerator<CommitFigures> {
  const storage = store.settings.storage;
  await destroy(SCRATCH, { storage });
  const db = await open<string, number>(SCRATCH, { storage });
  try {
    for (const [label, durability, inFlight] of RUNS) {
      const latencies: number[] = [];
      const start = performance.now();
      const end = start + COMMIT_MS;
      const writer = async (number: number) => {
        for (let i = 0; performance.now() < end; i++) {
          const before = performance.now();
          await db.set(`writer-${number}/${i % 100}`, i, { durability });
          latencies.push(performance.now() - before);
          if (db.mode === "memory" && i % 256 === 0) await pause();
        }
      };
      await Promise.all(Array.from({ length: inFlight }, (_, number) => writer(number)));
      const perSecond = (latencies.length * 1000) / (performance.now() - start);
      latencies.sort((one, other) => one - other);
      yield { label, perSecond, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
    }
  } finally {
    await db.close();
    await destroy(SCRATCH, { storage });
  }
}
