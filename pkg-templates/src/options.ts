/** Options: checked by name and kind, and handed to the engine. */

import { CoreOptions } from "#core";
import type { Stage } from "./acknowledgements.js";
import { invalid } from "./error.js";
import type { Durability, History, OpenOptions } from "./types.js";

const NAMES = new Set([
  "keyEncoding",
  "valueEncoding",
  "storage",
  "durability",
  "visibility",
  "history",
  "tabs",
  "signal",
  "snapshots",
  "limits",
  "directory",
  "wasm",
  "worker",
  "onLost",
  "onProgress",
]);
const LEVELS = ["none", "queued", "buffered", "immediate"] as const;

/** Refuses options that do not exist or are not of their kind. */
export function checkOptions<K, V>(options: OpenOptions<K, V>): void {
  if (typeof options !== "object" || options === null) throw invalid("options are an object");
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name)) throw invalid(`"${name}" is not an option`);
  }
  oneOf("storage", options.storage, ["auto", "opfs", "indexeddb", "file", "memory"]);
  oneOf("tabs", options.tabs, ["fail", "wait", "read-only"]);
  oneOf("visibility", options.visibility, ["applied", "durable"]);
  for (const name of ["worker", "onLost"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") throw invalid(`${name} is a function`);
  }
}

export function oneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value as string)) {
    throw invalid(`${name} is one of "${allowed.join('", "')}", not ${JSON.stringify(value) ?? String(value)}`);
  }
}

/** The engine's form of the options. */
export function toCore<K, V>(options: OpenOptions<K, V>): CoreOptions {
  const core = new CoreOptions();
  const { durability, history, snapshots, limits } = options;
  if (typeof durability === "object") {
    const { intervalMs, commits, bytes } = intervalOf(durability);
    core.durability_interval(intervalMs, commits, bytes);
  } else {
    core.durability(levelOf(durability ?? "immediate"));
  }
  if (options.visibility === "durable") core.visible_when_durable();
  setHistory(core, history);
  if (snapshots === "never") core.no_snapshots();
  else if (snapshots !== undefined && "logBytes" in snapshots) core.snapshot_log_bytes(amount("logBytes", snapshots.logBytes));
  else if (snapshots !== undefined) core.snapshot_interval(amount("intervalMs", snapshots.intervalMs));
  const limit = (name: keyof NonNullable<typeof limits>): number =>
    limits?.[name] === undefined ? -1 : amount(name, limits[name]);
  core.limits(
    limit("transactionBytes"),
    limit("queueBytes"),
    limit("historyBytes"),
    limit("watchBytes"),
    limit("attempts"),
  );
  return core;
}

function setHistory(core: CoreOptions, history: History | undefined): void {
  if (history === undefined) return;
  if (history === false) core.no_history();
  else if (history === true) core.all_history();
  else if ("versions" in history) core.history_versions(amount("versions", history.versions));
  else if ("ageMs" in history) core.history_age(amount("ageMs", history.ageMs));
  else throw invalid("history is true, false, { versions } or { ageMs }");
}

/** The engine's number of a level by name. */
export function levelOf(level: string): number {
  const place = LEVELS.indexOf(level as (typeof LEVELS)[number]);
  if (place < 0) throw invalid(`durability is one of "${LEVELS.join('", "')}", or { intervalMs }, not ${JSON.stringify(level)}`);
  return place + 1;
}

export function intervalOf(interval: { intervalMs: number; commits?: number; bytes?: number }): {
  intervalMs: number;
  commits: number;
  bytes: number;
} {
  const { intervalMs, commits, bytes } = interval;
  return {
    intervalMs: amount("intervalMs", intervalMs),
    commits: commits === undefined ? -1 : amount("commits", commits),
    bytes: bytes === undefined ? -1 : amount("bytes", bytes),
  };
}

/** The stage that a commit has reached when its promise resolves. */
export function stageOf(durability: Durability): Stage {
  if (typeof durability === "object" || durability === "buffered") return 1;
  return durability === "immediate" ? 2 : 0;
}

function amount(name: string, value: unknown): number {
  if (typeof value !== "number" || !(value >= 0) || value === Infinity) throw invalid(`${name} is a number of 0 or more, not ${String(value)}`);
  return value;
}
