/** How many times better Selkie is than others, in one row of a table. */

/** @typedef {import("./peers.js").PeerInfo} PeerInfo */
/** @typedef {import("./results.js").Results} Results */
/** @typedef {import("./rows.js").Row} Row */
/** @typedef {import("./rows.js").Table} Table */
/** @typedef {{ peer: PeerInfo, value: number | undefined }} Cell */
/** @typedef {{ browser: import("./browsers.js").BrowserName, records: number }} Where */
/** @typedef {{ factor: number, other: PeerInfo }} Ratio */

/** The peers that were measured there with a table's durability. @param {Results} results @param {PeerInfo[]} peers @param {Where} where @param {Table} table */
export function measuredPeers(results, peers, where, { durability }) {
  return peers.filter((peer) => results.has({ ...where, peer: peer.id, durability }));
}

/** @param {Results} results @param {PeerInfo[]} peers @param {Where} where @param {Table} table @param {Row} row @returns {Cell[]} */
export function cellsOf(results, peers, where, { durability }, row) {
  return peers.map((peer) => ({ peer, value: results.median({ ...where, peer: peer.id, durability }, row.figure) }));
}

/** To the best other, or to one of them. @param {Row} row @param {Cell[]} cells @param {PeerInfo} peer @param {string} [rival] @returns {Ratio | undefined} */
export function ratio(row, cells, peer, rival) {
  const own = cells.find((cell) => cell.peer === peer)?.value;
  const others = cells.flatMap(({ peer: other, value }) => {
    const counts = !other.ours && !other.limit && (rival === undefined || other.id === rival);
    return counts && value !== undefined && value >= (row.least ?? 0) ? [{ other, value }] : [];
  });
  const best = others.toSorted((left, right) => (better(row) === "more" ? right.value - left.value : left.value - right.value))[0];
  // Of tasks it is known only whether they were long.
  if (own === undefined || best === undefined || own <= 0 || best.value <= 0) {
    return undefined;
  }
  return { factor: factor(row, own, best.value), other: best.other };
}

/** Above 1 where the first is better. @param {Row} row @param {number} left @param {number} right */
export function factor(row, left, right) {
  return better(row) === "more" ? left / right : right / left;
}

/** @param {Row} row */
function better(row) {
  return row.unit === "perSecond" ? "more" : "less";
}
