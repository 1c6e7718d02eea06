/**
 * @typedef {object} Row
 * @property {string} figure
 * @property {string} title
 * @property {"perSecond" | "ms" | "kB"} unit
 * @property {{ ratio?: number, value?: number, records?: number }} [aim] of Selkie: a ratio to the best other, a value, and for how many records
 */

/** @typedef {{ title: string, durability: import("../page/peer.js").Durability, rows: Row[] }} Table */

/** @type {Row[]} */
const READS = [
  { figure: "reads", title: "point reads, one after another", unit: "perSecond", aim: { ratio: 20, value: 500_000 } },
  { figure: "readsInFlight", title: "point reads, 100 in flight", unit: "perSecond" },
  { figure: "readMany", title: "point reads, 100 by one call", unit: "perSecond" },
  { figure: "ranges", title: "ranges of 100 entries", unit: "perSecond", aim: { ratio: 5 } },
  { figure: "emptyOpenMs", title: "opening, empty", unit: "ms", aim: { value: 50 } },
  { figure: "reopenMs", title: "reopening to the first read", unit: "ms", aim: { value: 150, records: 100_000 } },
  { figure: "reopenLongestTaskMs", title: "longest task while reopening", unit: "ms", aim: { value: 50 } },
  { figure: "gzipKb", title: "downloaded, gzip", unit: "kB", aim: { value: 120 } },
];

/**
 * @param {{ bulk?: number, inFlight: { ratio: number, value: number }, serial?: number }} aims
 * @returns {Row[]}
 */
function writes(aims) {
  return [
    { figure: "firstPutMs", title: "first commit", unit: "ms" },
    { figure: "bulk", title: "entries, 1000 a commit", unit: "perSecond", ...(aims.bulk && { aim: { ratio: aims.bulk } }) },
    { figure: "commits", title: "commits, one after another", unit: "perSecond", ...(aims.serial && { aim: { ratio: aims.serial } }) },
    { figure: "commitsInFlight", title: "commits, 50 in flight", unit: "perSecond", aim: aims.inFlight },
    { figure: "longestTaskMs", title: "longest task while loading", unit: "ms", aim: { value: 50 } },
  ];
}

/** Durability classes are never mixed in a table. Reading and opening do not depend on it. @type {Table[]} */
export const TABLES = [
  { title: "Reading and opening", durability: "relaxed", rows: READS },
  {
    title: "Writing, relaxed: survives the death of the browser",
    durability: "relaxed",
    rows: writes({ bulk: 3, inFlight: { ratio: 10, value: 100_000 } }),
  },
  {
    title: "Writing, strict: synced before the promise resolves",
    durability: "strict",
    rows: writes({ inFlight: { ratio: 10, value: 50_000 }, serial: 1.5 }),
  },
];
