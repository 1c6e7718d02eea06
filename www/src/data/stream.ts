/** A stream of commits to be cut in the middle, and the check of what is there afterwards. */

import type { Transaction } from "selkie";
import type { Store } from "../store/store";
import { pause, SLICE_MS } from "./pace";

export interface StreamMark {
  /** Commits that were begun, and the greatest number whose promise was kept so far. */
  submitted: number;
  acknowledged: number;
}

export interface Verdict extends StreamMark {
  found: number;
  /** Acknowledged and not there: must be empty. */
  missing: number[];
  /** Numbers that are there though one before them is not: must be empty, for what survives is a beginning of the stream. */
  beyondGap: number[];
  /** Whether both halves of the last commit are there, or neither. */
  whole: boolean;
}

/** The other half of each commit, in the default keyspace: the number of the last entry. */
const STREAM_HEAD = "stream-head";
const IN_FLIGHT = 64;

/** Empties what an earlier stream left. */
export async function prepareStream(store: Store): Promise<void> {
  const tx = store.db.begin() as Transaction<string, unknown>;
  const entries = tx.keyspace(store.stream);
  for (const number of [...store.stream.keys()]) entries.delete(number);
  tx.set(STREAM_HEAD, 0);
  await tx.commit();
}

/** Commits one numbered entry after the other, each with its number in a second keyspace, until `mark` is stopped or a commit fails. */
export async function runStream(
  store: Store,
  mark: StreamMark,
  signal: AbortSignal,
  onAcknowledged: () => void,
): Promise<unknown> {
  const inFlight = new Set<Promise<void>>();
  let failure: unknown;
  let sliceStart = performance.now();
  while (!signal.aborted && failure === undefined) {
    try {
      const number = mark.submitted + 1;
      const commit = store.track(commitEntry(store, number)).then(() => {
        mark.acknowledged = Math.max(mark.acknowledged, number);
        onAcknowledged();
      });
      mark.submitted = number;
      const followed: Promise<void> = commit
        .catch((error: unknown) => void (failure ??= error))
        .finally(() => inFlight.delete(followed));
      inFlight.add(followed);
    } catch (error) {
      failure ??= error;
    }
    if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
    if (performance.now() - sliceStart < SLICE_MS) continue;
    await pause();
    sliceStart = performance.now();
  }
  await Promise.all(inFlight);
  return failure;
}

function commitEntry(store: Store, number: number): Promise<unknown> {
  const tx = store.db.begin() as Transaction<string, unknown>;
  tx.keyspace(store.stream).set(number, `entry ${number}, written ${new Date().toISOString()}`);
  tx.set(STREAM_HEAD, number);
  return tx.commit();
}

export function verifyStream(store: Store, mark: StreamMark): Verdict {
  const there = new Set(store.stream.keys());
  const head = (store.db.get(STREAM_HEAD) as number | undefined) ?? 0;
  let reached = 0;
  while (there.has(reached + 1)) reached += 1;
  const missing: number[] = [];
  for (let number = 1; number <= mark.acknowledged; number++) if (!there.has(number)) missing.push(number);
  const beyondGap = [...there].filter((number) => number > reached);
  return { ...mark, found: there.size, missing, beyondGap, whole: head === reached };
}
