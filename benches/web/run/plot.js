/** The ratios as a picture, as far as they exist: to the right of the line Selkie is better than the best other. */
import { parse, View } from "vega";
import { compile } from "vega-lite";
import { browserTitle } from "./browsers.js";
import { cellsOf, measuredPeers, ratio } from "./ratios.js";
import { TABLES } from "./rows.js";
import { digits } from "./text.js";

/** @typedef {import("./peers.js").PeerInfo} PeerInfo */
/** @typedef {import("./ratios.js").Where} Where */
/** @typedef {import("./results.js").Results} Results */
/** @typedef {import("./rows.js").Row} Row */
/** @typedef {import("./rows.js").Table} Table */
/** @typedef {{ table: Table, where: Where, work: string, series: string, ratio: number, one: number, labelAt: number, label: string }} Point */

const POINT_HEIGHT = 18;
const WIDTH = 420;
/** Of the greatest ratio, so that its label has room. */
const ROOM = 12;
const TICKS = Array.from({ length: 13 }, (_, at) => 10 ** (at - 6));

/** Each chart places only the series that it has. */
const OWN_SERIES = /** @type {const} */ ({ resolve: { scale: { yOffset: "independent" } } });

/** An SVG, or nothing where there is nothing to compare. @param {Results} results @param {PeerInfo[]} peers @param {Where[]} places */
export async function plot(results, peers, places) {
  const points = places.flatMap((where) => TABLES.flatMap((table) => pointsOf(results, peers, where, table)));
  if (points.length === 0) {
    return undefined;
  }
  return new View(parse(compile(specification(points)).spec), { renderer: "none" }).toSVG();
}

/** @param {Results} results @param {PeerInfo[]} peers @param {Where} where @param {Table} table @returns {Point[]} */
function pointsOf(results, peers, where, table) {
  const columns = measuredPeers(results, peers, where, table);
  return table.rows.flatMap((row) => {
    const cells = cellsOf(results, columns, where, table, row);
    return columns.filter((peer) => peer.ours).flatMap((peer) => {
      const found = ratio(row, cells, peer);
      return found === undefined ? [] : [point(found, table, where, row, peer)];
    });
  });
}

/** @param {import("./ratios.js").Ratio} found @param {Table} table @param {Where} where @param {Row} row @param {PeerInfo} peer @returns {Point} */
function point({ factor, other }, table, where, row, peer) {
  const series = `${peer.title}; ${where.records.toLocaleString("en")}`;
  const label = `${digits(factor)} x ${other.title}`;
  return { table, where, work: row.title, series, ratio: factor, one: 1, labelAt: Math.max(factor, 1), label };
}

/** A row of charts for each table, with a chart for each browser. @param {Point[]} points @returns {import("vega-lite").TopLevelSpec} */
function specification(points) {
  const ratios = points.map((one) => one.ratio);
  const domain = [Math.min(0.5, ...ratios), ROOM * Math.max(2, ...ratios)];
  const browsers = unique(points.map((one) => one.where.browser));
  const rows = unique(points.map((one) => one.table)).map((table) => ({
    ...OWN_SERIES,
    hconcat: browsers.map((browser) => {
      const chosen = points.filter((one) => one.table === table && one.where.browser === browser);
      return chart(chosen, `${browserTitle(browser)}: ${table.title}`, domain, unique(points.map((one) => one.series)));
    }),
  }));
  return { title: { text: "Selkie to the best other in the same run", anchor: "start" }, background: "white", ...OWN_SERIES, vconcat: rows };
}

/** @param {Point[]} points @param {string} title @param {number[]} domain @param {string[]} series @returns {import("vega-lite/types_unstable/spec/index.js").NonNormalizedSpec} */
function chart(points, title, domain, series) {
  const x = /** @type {const} */ ({ field: "ratio", type: "quantitative", title: "times better", scale: { type: "log", domain }, axis: { values: TICKS, format: "~g", gridColor: { condition: { test: "datum.value === 1", value: "#444" }, value: "#ddd" } } });
  const color = /** @type {const} */ ({ field: "series", type: "nominal", title: "Selkie; records", scale: { domain: series }, legend: { labelLimit: 0 } });
  const y = /** @type {const} */ ({ field: "work", type: "nominal", title: null, sort: null, axis: { labelLimit: 0 } });
  return {
    title,
    data: { values: points.map(({ table, where, ...shown }) => shown) },
    width: WIDTH,
    height: points.length * POINT_HEIGHT,
    encoding: { y, yOffset: { field: "series", sort: null } },
    layer: [
      { mark: { type: "rule", opacity: 0.6 }, encoding: { x: { ...x, field: "one" }, x2: { field: "ratio" }, color } },
      { mark: { type: "point", filled: true, opacity: 1, size: 30 }, encoding: { x, color } },
      { mark: { type: "text", align: "left", dx: 6, fontSize: 9 }, encoding: { x: { ...x, field: "labelAt" }, text: { field: "label" } } },
    ],
  };
}

/** @template T @param {T[]} values */
function unique(values) {
  return [...new Set(values)];
}
