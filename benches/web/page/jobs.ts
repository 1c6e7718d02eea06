/** What the runner asks for, and what it gets. */
import type { Durability } from "./peer.js";

export interface Job {
  peer: string;
  durability: Durability;
  records: number;
  durationMs: number;
}

/** Figures by the name of their row; undefined where the engine or the browser has none. */
export type Figures = Record<string, number | undefined>;

/** With the versions of all records, which the next page verifies. */
export interface Measured {
  figures: Figures;
  versions: number[];
}
