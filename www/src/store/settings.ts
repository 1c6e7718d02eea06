/** What the person chose: where the data is kept and what a commit survives. Remembered for this browser. */

import type { Durability, StorageChoice } from "selkie";

export type Level = "none" | "queued" | "buffered" | "interval" | "immediate";

export interface Settings {
  storage: Exclude<StorageChoice, "file">;
  level: Level;
}

export const STORAGES: Record<Settings["storage"], string> = {
  auto: "OPFS, else IndexedDB",
  opfs: "OPFS",
  indexeddb: "IndexedDB",
  memory: "Memory: gone with the page",
};

export const LEVELS: Record<Level, { durability: Durability; label: string; promise: string }> = {
  immediate: {
    durability: "immediate",
    label: "Immediate",
    promise: "survives a crash of the page or browser, and power loss",
  },
  interval: {
    durability: { intervalMs: 500 },
    label: "Every 500 ms",
    promise: "survives a crash of the page or browser; power loss takes the last half second",
  },
  buffered: {
    durability: "buffered",
    label: "Buffered",
    promise: "survives a crash of the page or browser, not power loss",
  },
  queued: { durability: "queued", label: "Queued", promise: "survives a crash but for what is still in the queue" },
  none: { durability: "none", label: "None", promise: "promises nothing" },
};

const KEY = "selkie-playground";

export function readSettings(): Settings {
  const chosen = stored();
  const storage = chosen.storage && chosen.storage in STORAGES ? chosen.storage : "auto";
  const level = chosen.level && chosen.level in LEVELS ? chosen.level : "immediate";
  return { storage, level };
}

export function keepSettings(settings: Settings): void {
  localStorage.setItem(KEY, JSON.stringify(settings));
}

function stored(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>;
  } catch {
    // Settings that cannot be read are as good as none.
    return {};
  }
}
