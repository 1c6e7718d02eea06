/** A stream of commits as one bar: what was acknowledged, what else is there, what is not. */

import { h } from "./dom";
import { count } from "./format";

export interface StreamParts {
  acknowledged: number;
  kept: number;
  gone: number;
  missing: number;
}

export function streamBar({ acknowledged, kept, gone, missing }: StreamParts, goneLabel: string): HTMLElement {
  const parts: [name: string, label: string, value: number][] = [
    ["acknowledged", "acknowledged and there", acknowledged],
    ["missing", "acknowledged and missing", missing],
    ["kept", "not acknowledged, there all the same", kept],
    ["gone", `not acknowledged, ${goneLabel}`, gone],
  ];
  const shown = parts.filter(([name, , value]) => value > 0 || name === "acknowledged" || name === "missing");
  return h("div", { class: "stream" },
    h("div", { class: "stream-bar", "aria-hidden": "true" }, ...parts.map(([name, , value]) => h("div", { class: `part-${name}`, style: `flex-grow: ${value}` }))),
    h("ul", { class: "legend" }, ...shown.map(([name, label, value]) => h("li", {}, h("span", { class: `swatch part-${name}`, "aria-hidden": "true" }), h("strong", { "data-part": name }, count(value)), ` ${label}`))),
  );
}
