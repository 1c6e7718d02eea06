/** Figures and tables as text. */

/** @typedef {import("./rows.js").Row} Row */

/** The browser reports no task that is shorter. */
const LONG_TASK_MS = 50;

/** @param {string[][]} rows the first is the header */
export function grid([header = [], ...rows]) {
  const rule = header.map((_, at) => (at === 0 ? "---" : "---:"));
  return [header, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** @param {Row} row */
export function unitText({ unit }) {
  return unit === "perSecond" ? " (a second)" : ` (${unit})`;
}

/** @param {Row} row @param {number | undefined} value */
export function valueText(row, value) {
  if (value === undefined) {
    return "";
  }
  return value === 0 && row.unit === "ms" ? `< ${LONG_TASK_MS}` : digits(value);
}

/** @param {number} value */
export function digits(value) {
  return value.toLocaleString("en", Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 2 });
}

/** @param {string[]} items */
export function list(items) {
  return items.map((item) => `- ${item}`).join("\n");
}
