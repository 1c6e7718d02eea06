/** Reads of the page's own data, and commits to a database of their own that is destroyed afterwards. */

import { destroy, open, type Durability } from "selkie";
import type { Store } from "../store/store";
import { percentile } from "../store/latencies";
import { measure } from "./measure";
import { pause } from "./pace";

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

const KEYS = 1000;
/** A prime, so that the samples spread over all places. */
const STRIDE = 7919;
const COMMIT_MS = 700;
const IN_FLIGHT = 50;
const SCRATCH = "playground-scratch";

/** Keys from all over the keyspace, in no order that a cache would like. */
export function sampleKeys({ keyspaces: { cities } }: Store): string[] {
  const total = cities.count();
  const count = Math.min(KEYS, total);
  return Array.from({ length: count }, (_, i) => cities.keys({ offset: (i * STRIDE) % total, limit: 1 }).first()!);
}

/** Microseconds for one read each, of these keys in turn. */
export function measureReads({ keyspaces: { cities } }: Store, keys: string[]): ReadFigures {
  let next = 0;
  const key = () => keys[next++ % keys.length]!;
  return {
    get: measure(() => cities.get(key())).meanUs,
    range: measure(() => cities.range({ gte: key(), limit: 100 }).all()).meanUs,
    count: measure(() => cities.count()).meanUs,
  };
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
