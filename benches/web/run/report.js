/** The tables in Markdown: medians, the ratio of Selkie to the best other, and what Selkie loses or misses. */
import { TABLES } from "./rows.js";

/** @typedef {import("./peers.js").PeerInfo} PeerInfo */
/** @typedef {import("./rows.js").Row} Row */
/** @typedef {import("./results.js").Results} Results */
/** @typedef {{ peer: PeerInfo, value: number | undefined }} Cell */

/** The browser reports no task that is shorter. */
const LONG_TASK_MS = 50;

/** @param {Results} results @param {PeerInfo[]} peers @param {number[]} sizes */
export function tables(results, peers, sizes) {
  const notes = /** @type {string[]} */ ([]);
  const shown = sizes.flatMap((records) =>
    TABLES.map((table) => tableText(results, peers, records, table, notes)).filter((text) => text !== undefined),
  );
  if (!peers.some((peer) => peer.ours)) {
    return shown.join("\n\n");
  }
  const found = notes.length === 0 ? "Nothing." : notes.map((note) => `- ${note}`).join("\n");
  return `${shown.join("\n\n")}\n\n### What Selkie loses or misses\n\n${found}`;
}

/**
 * @param {Results} results
 * @param {PeerInfo[]} peers
 * @param {number} records
 * @param {import("./rows.js").Table} table
 * @param {string[]} notes
 */
function tableText(results, peers, records, table, notes) {
  const columns = peers.filter((peer) => results.series.some((one) => one.peer === peer.id && one.records === records && one.durability === table.durability));
  if (columns.length === 0) {
    return undefined;
  }
  const ours = columns.filter((peer) => peer.ours);
  const header = ["", ...columns.map((peer) => peer.title), ...ours.map((peer) => `${peer.title} to the best other`)];
  const rows = table.rows.map((row) => {
    /** @type {Cell[]} */
    const cells = columns.map((peer) => ({ peer, value: results.median(peer.id, table.durability, records, row.figure) }));
    const compared = ours.map((peer) => comparison(row, cells, peer));
    notes.push(...ours.flatMap((peer) => shortfalls(row, cells, peer, records, table.durability)));
    return [`${row.title}${unitText(row)}`, ...cells.map(({ value }) => valueText(row, value)), ...compared];
  });
  return `### ${table.title}; ${records.toLocaleString("en")} records\n\n${grid([header, header.map((_, at) => (at === 0 ? "---" : "---:")), ...rows])}`;
}

/** @param {string[][]} rows */
function grid(rows) {
  return rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/**
 * How many times better than the best other.
 * @param {Row} row
 * @param {Cell[]} cells
 * @param {PeerInfo} peer
 */
function ratio(row, cells, peer) {
  const own = cells.find((cell) => cell.peer === peer)?.value;
  const others = cells.flatMap(({ peer: other, value }) => (other.ours || value === undefined ? [] : [{ other, value }]));
  const best = others.toSorted((left, right) => Math.log(factor(row, right.value, left.value)))[0];
  // Of tasks it is known only whether they were long.
  if (own === undefined || best === undefined || own === 0 || best.value === 0) {
    return undefined;
  }
  return { factor: factor(row, own, best.value), best: best.other.title };
}

/**
 * Above 1 where the first is better; as an order it is positive where the first is better.
 * @param {Row} row
 * @param {number} left
 * @param {number} right
 */
function factor(row, left, right) {
  return row.unit === "perSecond" ? left / right : right / left;
}

/** @param {Row} row @param {Cell[]} cells @param {PeerInfo} peer */
function comparison(row, cells, peer) {
  const found = ratio(row, cells, peer);
  if (found === undefined) {
    return "";
  }
  const text = `${digits(found.factor)} x ${found.best}`;
  return found.factor < 1 ? `**${text}**` : text;
}

/**
 * @param {Row} row
 * @param {Cell[]} cells
 * @param {PeerInfo} peer
 * @param {number} records
 * @param {string} durability
 */
function shortfalls(row, cells, peer, records, durability) {
  const place = `${peer.title}, ${records.toLocaleString("en")} records, ${durability}: ${row.title}`;
  const own = cells.find((cell) => cell.peer === peer)?.value;
  const found = ratio(row, cells, peer);
  const { aim } = row;
  const notes = [];
  if (found !== undefined && found.factor < 1) {
    notes.push(`${place} loses to ${found.best}: ${digits(found.factor)} x`);
  } else if (found !== undefined && aim?.ratio !== undefined && found.factor < aim.ratio) {
    notes.push(`${place} reaches ${digits(found.factor)} x of ${found.best}; the aim is ${aim.ratio} x`);
  }
  const applies = aim?.records === undefined || aim.records === records;
  if (own !== undefined && aim?.value !== undefined && applies && factor(row, own, aim.value) < 1) {
    notes.push(`${place} reaches ${valueText(row, own)}${unitText(row)}; the aim is ${valueText(row, aim.value)}`);
  }
  return notes;
}

/** @param {Row} row */
function unitText(row) {
  return { perSecond: " (a second)", ms: " (ms)", kB: " (kB)" }[row.unit];
}

/** @param {Row} row @param {number | undefined} value */
function valueText(row, value) {
  if (value === undefined) {
    return "";
  }
  return value === 0 && row.unit === "ms" ? `< ${LONG_TASK_MS}` : digits(value);
}

/** @param {number} value */
function digits(value) {
  return value.toLocaleString("en", value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 2 });
}
