/** A stream of commits: the last ones before the cut one by one, and how many there are of each kind in all. */

import { h } from "./dom";
import { count } from "./format";

/** Counts, in the order of the commits. */
export interface StreamParts {
  acknowledged: number;
  missing: number;
  kept: number;
  gone: number;
}

const CELLS = 160;

export function streamBar(parts: StreamParts, goneLabel: string): HTMLElement {
  const labels: Record<keyof StreamParts, string> = {
    acknowledged: "acknowledged and there",
    missing: "acknowledged and missing",
    kept: "not acknowledged, there all the same",
    gone: `not acknowledged, ${goneLabel}`,
  };
  const names = Object.keys(labels) as (keyof StreamParts)[];
  const shown = names.filter((name) => parts[name] > 0 || name === "acknowledged" || name === "missing");
  return h(
    "div",
    { class: "stream" },
    h(
      "div",
      { class: "stream-cells", "aria-hidden": "true" },
      ...cells(parts, names).map((name) => h("div", { class: `part-${name}` })),
    ),
    h(
      "ul",
      { class: "legend" },
      ...shown.map((name) =>
        h(
          "li",
          {},
          h("span", { class: `swatch part-${name}`, "aria-hidden": "true" }),
          h("strong", { "data-part": name }, count(parts[name])),
          ` ${labels[name]}`,
        ),
      ),
    ),
  );
}

/** The kind of each of the last commits. */
function cells(parts: StreamParts, names: (keyof StreamParts)[]): string[] {
  const found: string[] = [];
  for (const name of [...names].reverse()) {
    const room = CELLS - found.length;
    found.push(...Array.from({ length: Math.min(room, parts[name]) }, () => name));
  }
  return found.reverse();
}
