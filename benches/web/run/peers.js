/**
 * @typedef {object} PeerInfo
 * @property {string} id the folder that serves it, and its name on the command line
 * @property {string} title
 * @property {boolean} ours
 * @property {boolean} limit whether it is no engine but a measure of what is possible, and in no ratio
 * @property {import("../page/peer.js").Durability[]} durabilities those that it has a setting for, or takes by itself
 * @property {string | undefined} worker the source of its worker
 * @property {string[]} assets files that it loads beside its scripts, in node_modules
 * @property {string} settings
 * @property {Partial<Record<import("./browsers.js").BrowserName, string>>} absent where it does not work, with the reason
 */

/**
 * @param {string} id
 * @param {string} title
 * @param {PeerInfo["durabilities"]} durabilities
 * @param {string} settings
 * @param {Partial<PeerInfo>} more
 * @returns {PeerInfo}
 */
function peer(id, title, durabilities, settings, more = {}) {
  return { id, title, durabilities, settings, ours: false, limit: false, worker: undefined, assets: [], absent: {}, ...more };
}

const NO_OPTION = "it has no option for durability and takes the browser's default, relaxed";
const SQLITE = "WAL, locking exclusive; relaxed is `synchronous = normal`, strict is `full`; page 8 KiB, cache 32 MiB; prepared statements";

/** @type {PeerInfo[]} */
export const PEERS = [
  peer(
    "selkie-opfs",
    "Selkie, OPFS",
    ["relaxed", "strict"],
    "reads are synchronous on the page; relaxed is `buffered`, strict is `immediate`; keys and values as `utf8`; a range is deleted by its keys",
    { ours: true },
  ),
  peer("selkie-indexeddb", "Selkie, IndexedDB", ["relaxed", "strict"], "the same", { ours: true }),
  peer("selkie-memory", "Selkie, memory", ["memory"], "the same, with the durability `none`", { ours: true }),
  peer("indexeddb", "IndexedDB", ["relaxed", "strict"], "transactions with `durability` relaxed or strict and an explicit `commit()`; ranges by `getAllRecords` where the browser has it"),
  peer("idb", "idb", ["relaxed", "strict"], "as IndexedDB; ranges by `getAllKeys` and `getAll`"),
  peer("idb-keyval", "idb-keyval", ["relaxed"], `a store of its own; \`setMany\`, \`getMany\`; no ranges; ${NO_OPTION}`),
  peer("dexie", "Dexie", ["relaxed", "strict"], "`chromeTransactionDurability` relaxed or strict; `bulkPut`, `bulkGet`"),
  peer("localforage", "localForage", ["relaxed"], `IndexedDB; no ranges, and no commit of several entries, in whose place are as many commits in flight; ${NO_OPTION}`),
  peer(
    "rxdb-dexie",
    "RxDB, Dexie",
    ["relaxed", "strict"],
    "the free storage that persists, with Dexie's `chromeTransactionDurability`; `incrementalUpsert`, `bulkUpsert`; it answers from the documents that it still has in the page's memory; no transactions, so that a thousand keys or a range are a bulk that may be written in part",
  ),
  peer("rxdb-memory", "RxDB, memory", ["memory"], "the free storage without persistence; otherwise the same"),
  peer("browser-level", "browser-level", ["relaxed"], `keys and values as \`utf8\`; a range is deleted by \`clear\`; ${NO_OPTION}`),
  peer("memory-level", "memory-level", ["memory"], "keys and values as `utf8`"),
  peer("map", "a Map", ["memory"], "JavaScript's own: no engine, but what such a loop with its checks can reach; in no ratio", { limit: true }),
  peer("bytes", "bytes", ["memory"], "a `Map` to places in an array of bytes: no engine, but what reading values can reach that are not JavaScript's own strings; in no ratio", { limit: true }),
  peer("sqlite", "sqlite-wasm", ["relaxed", "strict"], `\`opfs-sahpool\`, ${SQLITE}`, {
    worker: "sqlite-worker.ts",
    assets: ["@sqlite.org/sqlite-wasm/dist/sqlite3.wasm"],
  }),
  peer("wa-sqlite", "wa-sqlite", ["relaxed", "strict"], `@journeyapps/wa-sqlite, \`OPFSCoopSyncVFS\`, ${SQLITE}`, {
    worker: "wa-sqlite-worker.ts",
    assets: ["@journeyapps/wa-sqlite/dist/wa-sqlite.wasm"],
  }),
  peer("file", "a file", ["relaxed", "strict"], "on OPFS in a worker: no engine, but the least that commits can be there: those of one turn are a message, a write at the end, a flush where it is strict, and a message back; its ranges are not to be looked at; in no ratio", {
    limit: true,
    worker: "file-worker.ts",
  }),
  peer("pglite", "PGlite", ["relaxed", "strict"], "`opfs-ahp`; relaxed is `relaxedDurability`, strict is without it", {
    worker: "pglite-worker.ts",
    assets: ["pglite.wasm", "pglite.data", "initdb.wasm"].map((name) => `@electric-sql/pglite/dist/${name}`),
  }),
];

/**
 * @param {string[] | undefined} ids
 * @returns {PeerInfo[]}
 */
export function chosenPeers(ids) {
  const unknown = ids?.find((id) => !PEERS.some((one) => one.id === id));
  if (unknown !== undefined) {
    throw new Error(`--peers takes some of ${PEERS.map((one) => one.id).join(",")}, not \`${unknown}\``);
  }
  return PEERS.filter((one) => ids === undefined || ids.includes(one.id));
}
