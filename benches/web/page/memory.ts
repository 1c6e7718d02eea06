/** What an engine holds in memory, as well as the browser tells. */
import type { Peer, Store } from "./peer.js";
import { keyOf, span, valueOf } from "./records.js";
import { BULK_ENTRIES } from "./writes.js";
import type { Job } from "./jobs.js";

interface Measuring {
  /** Of the page with its workers, after a collection, but without the memory of wasm. Chromium has it where the page is isolated. */
  measureUserAgentSpecificMemory?: () => Promise<{ bytes: number }>;
}

/** How much more the page takes once all was read, and the engine's wasm memory; without the browser's word on it, that memory alone. */
export async function memoryMb(peer: Peer, name: string, job: Job): Promise<number | undefined> {
  const before = await pageBytes();
  const store = await peer.open(name, job.durability);
  if (job.durability === "memory") {
    await load(store, job.records);
  }
  await readAll(store, job.records);
  const after = await pageBytes();
  const wasm = await store.wasmBytes?.();
  await store.close();
  if (before === undefined || after === undefined) {
    return wasm === undefined ? undefined : wasm / 1e6;
  }
  return (after - before + (wasm ?? 0)) / 1e6;
}

async function pageBytes(): Promise<number | undefined> {
  const { measureUserAgentSpecificMemory: measure } = performance as Measuring;
  return measure === undefined ? undefined : (await measure.call(performance)).bytes;
}

/** Nothing is kept of what is read and written here, since it would count as the engine's. */
async function load(store: Store, records: number): Promise<void> {
  for (let from = 0; from < records; from += BULK_ENTRIES) {
    const indices = span(from, Math.min(from + BULK_ENTRIES, records));
    await store.bulk(indices.map((index) => [keyOf(index), valueOf(keyOf(index), index, 1)]));
  }
}

async function readAll(store: Store, records: number): Promise<void> {
  for (let from = 0; from < records; from += BULK_ENTRIES) {
    await store.getMany(span(from, Math.min(from + BULK_ENTRIES, records)).map(keyOf));
  }
}
