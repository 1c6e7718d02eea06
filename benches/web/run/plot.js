/** The ratios as a picture: to the right of the line Selkie is better than the best other. */
import { parse, View } from "vega";
import { compile } from "vega-lite";
import { browserTitle } from "./browsers.js";
import { cellsOf, measuredPeers, ratio } from "./ratios.js";
import { TABLES } from "./rows.js";
import { digits } from "./text.js";

/** @typedef {import("./peers.js").PeerInfo} PeerInfo */
/** @typedef {import("./ratios.js").Where} Where */
/** @typedef {import("./results.js").Results} Results */

const STEP = 11;
const WIDTH = 420;

/** An SVG, or nothing where there is nothing to compare. @param {Results} results @param {PeerInfo[]} peers @param {Where[]} places */
export async function plot(results, peers, places) {
  const points = places.flatMap((where) => pointsOf(results, peers, where));
  if (points.length === 0) {
    return undefined;
  }
  return new View(parse(compile(specification(points)).spec), { renderer: "none" }).toSVG();
}

/** @param {Results} results @param {PeerInfo[]} peers @param {Where} where */
function pointsOf(results, peers, where) {
  return TABLES.flatMap((table) => {
    const columns = measuredPeers(results, peers, where, table);
    return table.rows.flatMap((row) => {
      const cells = cellsOf(results, columns, where, table, row);
      return columns.filter((peer) => peer.ours).flatMap((peer) => point(ratio(row, cells, peer), `${peer.title}, ${where.records.toLocaleString("en")}`)).map((one) => ({
        ...one,
        work: row.title,
        table: table.title,
        browser: browserTitle(where.browser),
      }));
    });
  });
}

/** @param {import("./ratios.js").Ratio | undefined} found @param {string} series */
function point(found, series) {
  return found === undefined ? [] : [{ series, ratio: found.factor, one: 1, label: `${digits(found.factor)} x ${found.other.title}` }];
}

/** @param {unknown[]} values @returns {import("vega-lite").TopLevelSpec} */
function specification(values) {
  const y = /** @type {const} */ ({ field: "work", type: "nominal", title: null, sort: null });
  const yOffset = /** @type {const} */ ({ field: "series", sort: null });
  const x = /** @type {const} */ ({ field: "ratio", type: "quantitative", title: "times better than the best other", scale: { type: "log" } });
  const color = /** @type {const} */ ({ field: "series", type: "nominal", title: "Selkie, records", sort: null });
  return {
    title: "Selkie to the best other",
    background: "white",
    data: { values: /** @type {object[]} */ (values) },
    facet: {
      row: { field: "table", type: "nominal", title: null, sort: null, header: { labelOrient: "top", labelAnchor: "start", labelFontWeight: "bold" } },
      column: { field: "browser", type: "nominal", title: null, sort: null, header: { labelFontWeight: "bold" } },
    },
    spec: {
      width: WIDTH,
      height: { step: STEP, for: "offset" },
      encoding: { y, yOffset },
      layer: [
        { mark: { type: "rule", color: "#444" }, encoding: { x: { datum: 1 }, y: { value: 0 }, y2: { value: "height" }, yOffset: { value: 0 } } },
        { mark: { type: "rule", opacity: 0.6 }, encoding: { x, x2: { field: "one" }, color } },
        { mark: { type: "point", filled: true, size: 30 }, encoding: { x, color } },
        { mark: { type: "text", align: "left", dx: 5, fontSize: 8 }, encoding: { x, text: { field: "label" } } },
      ],
    },
    resolve: { scale: { y: "independent", yOffset: "independent" } },
  };
}
