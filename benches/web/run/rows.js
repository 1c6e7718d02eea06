/**
 * @typedef {object} Row
 * @property {string} figure
 * @property {string} title
 * @property {"perSecond" | "ms" | "kB" | "MB"} unit
 * @property {number} [least] what is less of another engine is not compared
 * @property {Aim} [aim]
 */

/**
 * Of Selkie: a ratio to the best other or to one that is named, or a value; and for how many records.
 * @typedef {{ ratio?: number, rival?: string, value?: number, records?: number }} Aim
 */

/** @typedef {{ title: string, durability: import("../page/peer.js").Durability, rows: Row[] }} Table */

/** @param {{ points?: number, ranges?: number }} aims @returns {Row[]} */
function reads({ points, ranges }) {
  return [
    { figure: "reads", title: "point reads, one after another", unit: "perSecond", ...aim(points) },
    { figure: "readsInFlight", title: "point reads, 100 in flight", unit: "perSecond" },
    { figure: "readMany", title: "point reads, 100 by one call", unit: "perSecond" },
    { figure: "ranges", title: "ranges of 100 entries", unit: "perSecond", ...aim(ranges) },
  ];
}

/** @param {{ bulk?: number, serial?: number, inFlight?: number, transactions?: number }} aims @returns {Row[]} */
function writes(aims) {
  return [
    { figure: "firstPutMs", title: "first commit", unit: "ms" },
    { figure: "bulk", title: "bulk insert of all, entries by 1000 a commit", unit: "perSecond", ...aim(aims.bulk) },
    { figure: "commits", title: "single commits, one after another", unit: "perSecond", ...aim(aims.serial) },
    { figure: "commitsInFlight", title: "single commits, 50 in flight", unit: "perSecond", ...aim(aims.inFlight) },
    { figure: "transactions", title: "transactions of 1000 keys", unit: "perSecond", ...aim(aims.transactions) },
    { figure: "deleteRangeMs", title: "deleting a range, a tenth of all", unit: "ms" },
    { figure: "longestTaskMs", title: "longest main-thread task while loading", unit: "ms", aim: { value: 50 } },
  ];
}

/** @type {Row[]} */
const OPENING = [
  { figure: "emptyOpenMs", title: "opening, new", unit: "ms" },
  { figure: "firstOpenMs", title: "opening, the first in a new profile", unit: "ms" },
  { figure: "reopenMs", title: "reopening to the first correct read", unit: "ms", aim: { ratio: 1.3, rival: "sqlite", value: 80, records: 100_000 } },
  { figure: "coldOpenMs", title: "opening after the browser restarted", unit: "ms" },
  { figure: "coldReadMs", title: "first read after that opening", unit: "ms" },
  { figure: "coldMs", title: "that opening and read together", unit: "ms" },
  { figure: "reopenLongestTaskMs", title: "longest main-thread task while reopening", unit: "ms", aim: { value: 50 } },
];

/** An engine that takes less holds nothing, and the figure is chance. */
const NOTICED_MB = 0.1;

/** @type {Row[]} */
const SIZES = [
  { figure: "gzipKb", title: "downloaded, gzip", unit: "kB", aim: { value: 100 } },
  { figure: "memoryMb", title: "memory, all read", unit: "MB", least: NOTICED_MB },
];

/** @param {number | undefined} ratio @returns {{ aim?: Aim }} */
function aim(ratio) {
  return ratio === undefined ? {} : { aim: { ratio } };
}

/** Durability classes are never mixed in a table. Reading and opening do not depend on it. @type {Table[]} */
export const TABLES = [
  { title: "Reading", durability: "relaxed", rows: reads({ points: 25, ranges: 6 }) },
  { title: "Opening and size", durability: "relaxed", rows: [...OPENING, ...SIZES] },
  { title: "Writing, relaxed", durability: "relaxed", rows: writes({ bulk: 4, inFlight: 15, transactions: 2 }) },
  { title: "Writing, strict", durability: "strict", rows: writes({ bulk: 4, serial: 1.5, inFlight: 15, transactions: 2 }) },
  { title: "In memory, nothing persists", durability: "memory", rows: [...reads({}), ...writes({}), ...SIZES] },
];
