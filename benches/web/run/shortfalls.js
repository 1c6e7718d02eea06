/** What Selkie loses, and where it misses what is aimed at. */
import { browserTitle } from "./browsers.js";
import { factor, ratio } from "./ratios.js";
import { digits, unitText, valueText } from "./text.js";

/** @typedef {import("./ratios.js").Cell} Cell */
/** @typedef {import("./rows.js").Row} Row */

/**
 * @param {Row} row
 * @param {Cell[]} cells
 * @param {import("./peers.js").PeerInfo} peer
 * @param {import("./ratios.js").Where} where
 * @param {string} durability
 */
export function shortfalls(row, cells, peer, where, durability) {
  const place = `${browserTitle(where.browser)}, ${peer.title}, ${where.records.toLocaleString("en")} records, ${durability}: ${row.title}`;
  const best = ratio(row, cells, peer);
  const notes = best !== undefined && best.factor < 1 ? [`${place} loses to ${best.other.title}: ${digits(best.factor)} x`] : [];
  const { aim } = row;
  if (aim === undefined || (aim.records !== undefined && aim.records !== where.records)) {
    return notes;
  }
  const compared = ratio(row, cells, peer, aim.rival);
  if (aim.ratio !== undefined && compared !== undefined && compared.factor < aim.ratio) {
    notes.push(`${place} reaches ${digits(compared.factor)} x of ${compared.other.title}; the aim is ${aim.ratio} x`);
  }
  const own = cells.find((cell) => cell.peer === peer)?.value;
  if (own !== undefined && aim.value !== undefined && factor(row, own, aim.value) < 1) {
    notes.push(`${place} reaches ${valueText(row, own)}${unitText(row)}; the aim is ${valueText(row, aim.value)}`);
  }
  return notes;
}
