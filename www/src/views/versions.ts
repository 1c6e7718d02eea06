/** The versions of a place, newest first: when, and what was different from the one before. */

import type { KeyVersion } from "selkie";
import type { City } from "../data/cities";
import { button, h } from "../ui/dom";
import { count, time } from "../ui/format";

export function versionList(versions: KeyVersion<City>[], restore?: (value: City) => void): HTMLElement {
  const items = versions.map((version, i) => {
    const before = versions[i + 1]?.value;
    const { value } = version;
    return h(
      "li",
      {},
      h(
        "span",
        { class: "version-when" },
        time(version.time),
        h("span", { class: "hint" }, `version ${count(version.version)}`),
      ),
      h("span", { class: "version-what" }, describe(before, value)),
      i > 0 && value && restore && button("Restore", () => restore(value), { class: "button quiet" }),
    );
  });
  return h("div", { class: "versions" }, h("h3", {}, "History"), h("ol", {}, ...items));
}

export function describe(before: City | undefined, after: City | undefined): string {
  if (!after) return "deleted";
  if (!before) return "written";
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof City>;
  const changed = [...fields].filter((name) => before[name] !== after[name]);
  if (changed.length === 0) return "written again, the same";
  return changed.map((name) => `${name}: ${shown(before[name])} → ${shown(after[name])}`).join("; ");
}

function shown(value: string | number | undefined): string {
  return value === undefined ? "none" : String(value);
}
