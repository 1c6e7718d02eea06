/**
 * @typedef {object} PeerInfo
 * @property {string} id the folder that serves it, and its name on the command line
 * @property {string} title
 * @property {boolean} ours
 * @property {boolean} strict whether it can sync before a commit's promise resolves
 * @property {string | undefined} worker the source of its worker
 * @property {string[]} assets files that it loads beside its scripts, in node_modules
 * @property {string} settings
 */

/** @type {PeerInfo[]} */
export const PEERS = [
  {
    id: "selkie-opfs",
    title: "Selkie, OPFS",
    ours: true,
    strict: true,
    worker: undefined,
    assets: [],
    settings: "reads are synchronous on the page; relaxed is `buffered`, strict is `immediate`; keys and values as `utf8`",
  },
  {
    id: "selkie-indexeddb",
    title: "Selkie, IndexedDB",
    ours: true,
    strict: true,
    worker: undefined,
    assets: [],
    settings: "the same",
  },
  {
    id: "idb",
    title: "idb",
    ours: false,
    strict: true,
    worker: undefined,
    assets: [],
    settings: "transactions with `durability` relaxed or strict and an explicit `commit()`",
  },
  {
    id: "dexie",
    title: "Dexie",
    ours: false,
    strict: true,
    worker: undefined,
    assets: [],
    settings: "`chromeTransactionDurability` relaxed or strict; `bulkPut`, `bulkGet`",
  },
  {
    id: "browser-level",
    title: "browser-level",
    ours: false,
    strict: false,
    worker: undefined,
    assets: [],
    settings: "keys and values as `utf8`; it has no option for durability and takes the browser's default, relaxed",
  },
  {
    id: "sqlite",
    title: "sqlite-wasm",
    ours: false,
    strict: true,
    worker: "sqlite-worker.ts",
    assets: ["@sqlite.org/sqlite-wasm/dist/sqlite3.wasm"],
    settings: "`opfs-sahpool`, WAL, locking exclusive; relaxed is `synchronous = normal`, strict is `full`; page 8 KiB, cache 32 MiB; prepared statements",
  },
  {
    id: "wa-sqlite",
    title: "wa-sqlite",
    ours: false,
    strict: true,
    worker: "wa-sqlite-worker.ts",
    assets: ["@journeyapps/wa-sqlite/dist/wa-sqlite.wasm"],
    settings: "@journeyapps/wa-sqlite, `OPFSCoopSyncVFS`, WAL, locking exclusive; relaxed is `synchronous = normal`, strict is `full`; page 8 KiB, cache 32 MiB; prepared statements",
  },
  {
    id: "pglite",
    title: "PGlite",
    ours: false,
    strict: true,
    worker: "pglite-worker.ts",
    assets: ["pglite.wasm", "pglite.data", "initdb.wasm"].map((name) => `@electric-sql/pglite/dist/${name}`),
    settings: "`opfs-ahp`; relaxed is `relaxedDurability`, strict is without it",
  },
];

/**
 * @param {string[] | undefined} ids
 * @returns {PeerInfo[]}
 */
export function chosenPeers(ids) {
  const unknown = ids?.find((id) => !PEERS.some((peer) => peer.id === id));
  if (unknown !== undefined) {
    throw new Error(`--peers takes some of ${PEERS.map((peer) => peer.id).join(",")}, not \`${unknown}\``);
  }
  return PEERS.filter((peer) => ids === undefined || ids.includes(peer.id));
}
