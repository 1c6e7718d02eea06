/** Options: checked by name and kind, and handed to the engine. */

import type { Stage } from "./acknowledgements.js";
import { invalid } from "./error.js";
import type { Durability, History, OpenOptions } from "./types.js";

const NAMES = [
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
  "wasmLater",
  "worker",
  "onLost",
  "onProgress",
];
const LIMITS = [
  "transactionBytes",
  "queueBytes",
  "historyBytes",
  "watchBytes",
  "attempts",
  "readerBytes",
  "readerTimeMs",
] as const;
const MOST_VERSIONS = 2 ** 32 - 1;
const LEVELS = ["none", "queued", "buffered", "immediate"] as const;

/** Refuses options that do not exist or are not of their kind. */
export function checkOptions<K, V>(options: OpenOptions<K, V>): void {
  checkNames("the options of a database", options, NAMES);
  oneOf("storage", options.storage, ["auto", "opfs", "indexeddb", "file", "memory"]);
  oneOf("tabs", options.tabs, ["fail", "wait", "read-only"]);
  oneOf("visibility", options.visibility, ["applied", "durable"]);
  for (const name of ["worker", "onLost", "onProgress"] as const) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined && typeof value !== "function") throw invalid(`${name} is a function`);
  }
  for (const name of ["wasm", "wasmLater"] as const) {
    const value: unknown = options[name];
    if (value === null || !["object", "string", "undefined"].includes(typeof value))
      throw invalid(`${name} is an address, bytes or a module`);
  }
  checkDirectory(options.directory);
  checkDurability(options.durability);
  checkHistory(options.history);
  checkSnapshots(options.snapshots);
  if (options.limits === undefined) return;
  checkNames("the limits of a database", options.limits, LIMITS);
  for (const name of LIMITS) if (options.limits[name] !== undefined) amount(name, options.limits[name]);
}

/** Refuses what is no object, and names that mean nothing: a misspelt option must not be passed over in silence. */
export function checkNames(
  what: string,
  options: unknown,
  names: readonly string[],
  more: readonly string[] = [],
): void {
  if (typeof options !== "object" || options === null) throw invalid(`${what} are an object, not ${String(options)}`);
  for (const name in options) {
    if (!names.includes(name) && !more.includes(name)) throw invalid(`"${name}" is not among ${what}`);
  }
}

export function checkDirectory(directory: unknown): void {
  if (directory !== undefined && typeof directory !== "string") throw invalid("directory is a path");
}

export function checkDurability(durability: Durability | undefined): void {
  if (typeof durability === "object" && durability !== null) intervalOf(durability);
  else if (durability !== undefined) levelOf(durability);
}

function checkHistory(history: History | undefined): void {
  if (history === undefined || typeof history === "boolean") return;
  checkNames("the limits of history", history, ["versions", "ageMs"]);
  const { versions, ageMs } = history as { versions?: number; ageMs?: number };
  if ((versions === undefined) === (ageMs === undefined)) {
    throw invalid("history is true, false, { versions } or { ageMs }");
  }
  if (versions === undefined) amount("ageMs", ageMs);
  else if (!Number.isSafeInteger(versions) || versions < 1 || versions > MOST_VERSIONS) {
    throw invalid(`versions is a count from 1, not ${String(versions)}`);
  }
}

function checkSnapshots(snapshots: OpenOptions["snapshots"]): void {
  if (snapshots === undefined || snapshots === "never") return;
  checkNames("the limits of snapshots", snapshots, ["logBytes", "intervalMs"]);
  const { logBytes, intervalMs } = snapshots as { logBytes?: number; intervalMs?: number };
  if ((logBytes === undefined) === (intervalMs === undefined)) {
    throw invalid('snapshots are "never", { logBytes } or { intervalMs }');
  }
  amount("the limit of snapshots", logBytes ?? intervalMs);
}

export function oneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value as string)) {
    throw invalid(`${name} is one of "${allowed.join('", "')}", not ${JSON.stringify(value) ?? String(value)}`);
  }
}

/** The engine's form of the options: their numbers, which src/wasm/options.rs takes apart. */
export function toCore<K, V>(options: OpenOptions<K, V>, readOnly = false, until = -1): Float64Array {
  const { durability, visibility, history, snapshots, limits } = options;
  return Float64Array.of(
    ...levelAndInterval(durability ?? "immediate"),
    Number(visibility === "durable"),
    ...historyNumbers(history),
    ...snapshotNumbers(snapshots),
    ...LIMITS.map((name) => limits?.[name] ?? -1),
    Number(readOnly),
    until,
  );
}

/** The number of a level, or 0, and the limits of an interval. */
function levelAndInterval(durability: Durability): number[] {
  if (typeof durability !== "object") return [levelOf(durability), 0, 0, 0];
  const { intervalMs, commits, bytes } = intervalOf(durability);
  return [0, intervalMs, commits, bytes];
}

/** 0 as it is, 1 none, 2 all, 3 so many versions, 4 so many milliseconds. */
function historyNumbers(history: History | undefined): [number, number] {
  if (history === undefined) return [0, 0];
  if (typeof history === "boolean") return [history ? 2 : 1, 0];
  if ("versions" in history) return [3, amount("versions", history.versions)];
  if ("ageMs" in history) return [4, amount("ageMs", history.ageMs)];
  throw invalid("history is true, false, { versions } or { ageMs }");
}

/** 0 as it is, 1 never, 2 after so many bytes of log, 3 after so many milliseconds. */
function snapshotNumbers(snapshots: OpenOptions["snapshots"]): [number, number] {
  if (snapshots === undefined) return [0, 0];
  if (snapshots === "never") return [1, 0];
  return "logBytes" in snapshots ? [2, snapshots.logBytes] : [3, snapshots.intervalMs];
}

/** The engine's number of a level by name. */
export function levelOf(level: string): number {
  const place = LEVELS.indexOf(level as (typeof LEVELS)[number]);
  if (place < 0) {
    throw invalid(`durability is one of "${LEVELS.join('", "')}", or { intervalMs }, not ${JSON.stringify(level)}`);
  }
  return place + 1;
}

export function intervalOf(interval: { intervalMs: number; commits?: number; bytes?: number }): {
  intervalMs: number;
  commits: number;
  bytes: number;
} {
  checkNames("the limits of an interval", interval, ["intervalMs", "commits", "bytes"]);
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
  if (typeof value !== "number" || !(value >= 0) || value === Infinity) {
    throw invalid(`${name} is a number of 0 or more, not ${String(value)}`);
  }
  return value;
}
