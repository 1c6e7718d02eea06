/** The tables in Markdown: medians, and the ratio of Selkie to the best other. */
import { browserTitle } from "./browsers.js";
import { cellsOf, measuredPeers, ratio } from "./ratios.js";
import { TABLES } from "./rows.js";
import { shortfalls } from "./shortfalls.js";
import { digits, grid, list, unitText, valueText } from "./text.js";

/** @typedef {import("./peers.js").PeerInfo} PeerInfo */
/** @typedef {import("./ratios.js").Where} Where */
/** @typedef {import("./results.js").Results} Results */
/** @typedef {import("./rows.js").Table} Table */

/** @param {Results} results @param {PeerInfo[]} peers @param {Where[]} places */
export function tables(results, peers, places) {
  const shown = places.flatMap((where) => TABLES.map((table) => tableText(results, peers, where, table)).filter((text) => text !== undefined));
  if (!peers.some((peer) => peer.ours)) {
    return shown.join("\n\n");
  }
  const notes = places.flatMap((where) => TABLES.flatMap((table) => notesOf(results, peers, where, table)));
  return `${shown.join("\n\n")}\n\n## What Selkie loses or misses\n\n${notes.length === 0 ? "Nothing." : list(notes)}`;
}

/** @param {Results} results @param {PeerInfo[]} peers @param {Where} where @param {Table} table */
function tableText(results, peers, where, table) {
  const columns = measuredPeers(results, peers, where, table);
  if (columns.length === 0) {
    return undefined;
  }
  const ours = columns.filter((peer) => peer.ours);
  const header = ["", ...columns.map((peer) => peer.title), ...ours.map((peer) => `${peer.title} to the best other`)];
  const rows = table.rows.map((row) => {
    const cells = cellsOf(results, columns, where, table, row);
    return [`${row.title}${unitText(row)}`, ...cells.map(({ value }) => valueText(row, value)), ...ours.map((peer) => comparison(ratio(row, cells, peer)))];
  });
  return `### ${browserTitle(where.browser)}, ${where.records.toLocaleString("en")} records: ${table.title}\n\n${grid([header, ...rows])}`;
}

/** @param {Results} results @param {PeerInfo[]} peers @param {Where} where @param {Table} table */
function notesOf(results, peers, where, table) {
  const columns = measuredPeers(results, peers, where, table);
  return table.rows.flatMap((row) => {
    const cells = cellsOf(results, columns, where, table, row);
    return columns.filter((peer) => peer.ours).flatMap((peer) => shortfalls(row, cells, peer, where, table.durability));
  });
}

/** @param {import("./ratios.js").Ratio | undefined} found */
function comparison(found) {
  if (found === undefined) {
    return "";
  }
  const text = `${digits(found.factor)} x ${found.other.title}`;
  return found.factor < 1 ? `**${text}**` : text;
}
