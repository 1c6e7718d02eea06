/** The steps of the places' history: one for each commit that changed them, described by an entry of that commit. */

import type { Transaction } from "selkie";
import type { Store } from "../store/store";
import type { JournalEntry } from "./cities";

export interface Step extends JournalEntry {
  number: number;
  version: number;
  time: Date;
}

export function nextStep({ keyspaces: { journal } }: Store): number {
  return (journal.keys({ reverse: true, limit: 1 }).first() ?? 0) + 1;
}

/** Changes places and says so in the journal, in one transaction. It resolves when that is durable. */
export function change(
  store: Store,
  entry: JournalEntry,
  work: (tx: Transaction<string, unknown>) => void,
): Promise<void> {
  const { journal } = store.keyspaces;
  const done = store.db.update((tx) => {
    work(tx);
    const last = tx.keyspace(journal).keys({ reverse: true, limit: 1 }).first() ?? 0;
    tx.keyspace(journal).set(last + 1, entry);
  });
  queueMicrotask(() => store.look());
  return store.track(done);
}

export function stepNumbers({ keyspaces: { journal } }: Store): number[] {
  return journal.keys().all();
}

/** When a step was committed is what the history of its entry says. */
export function readStep({ keyspaces: { journal } }: Store, number: number): Step | undefined {
  const entry = journal.get(number);
  const first = journal.history(number).at(-1);
  return entry && first && { ...entry, number, version: first.version, time: first.time };
}

/** The position of the last step at or before a time. Steps order like their times. */
export function stepAt(store: Store, numbers: number[], time: Date): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const step = readStep(store, numbers[middle]!);
    if (step && step.time <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}
