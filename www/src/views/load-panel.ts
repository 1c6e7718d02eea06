/** Loading the data set: what it is, how far it came, and how it went. */

import type { City } from "../data/cities";
import { load, loadMark, type LoadProgress, type LoadReport } from "../data/load";
import { button, h } from "../ui/dom";
import { count, millis, perSecond, plural } from "../ui/format";
import { attempt } from "../ui/notices";
import type { App } from "./view";

const CITIES = 171_075;

export class LoadPanel {
  readonly element = h("section", { class: "load-panel", "aria-label": "Data set" });
  isLoading = false;
  #applied = h("div", { class: "bar-applied" });
  #durable = h("div", { class: "bar-durable" });
  #bar = h(
    "div",
    { class: "bar", role: "progressbar", "aria-label": "Places loaded", "aria-valuemin": "0", "aria-valuemax": "100" },
    this.#applied,
    this.#durable,
  );
  #text = h("p", { class: "load-text" });
  #controller = new AbortController();

  constructor(
    readonly app: App,
    readonly onAdded: (cities: City[]) => void,
    readonly onDone: () => void,
  ) {}

  /** Offers to begin, or to go on with a load that was cut short. Nothing to offer: not shown. */
  offer(): void {
    if (this.isLoading) return;
    const mark = loadMark(this.app.store);
    const isComplete = mark !== undefined && mark.applied === mark.total;
    this.element.hidden = isComplete;
    if (isComplete) return;
    if (this.app.store.db.readOnly)
      return this.element.replaceChildren(
        h("p", {}, "The cities are not all here yet; the tab that writes can load them."),
      );
    const begun = mark
      ? h(
          "p",
          {},
          `A load was cut short after ${count(mark.applied)} of ${count(mark.total)} places. Each commit also wrote how far it came, so it goes on from exactly there.`,
        )
      : h(
          "p",
          {},
          "Nothing here yet. Load every place with more than a thousand inhabitants: 3 MB to fetch, kept in this browser only.",
        );
    this.element.replaceChildren(
      begun,
      button(mark ? "Go on loading" : `Load ${count(CITIES)} places`, () => this.#run(), {
        class: "button primary",
        id: "load",
      }),
    );
  }

  stop(): void {
    this.#controller.abort();
  }

  async #run(): Promise<void> {
    this.isLoading = true;
    this.#controller = new AbortController();
    this.element.replaceChildren(
      this.#bar,
      this.#text,
      button("Stop", () => this.stop(), { class: "button quiet" }),
    );
    const report = await attempt("Loading", () =>
      load(this.app.store, (progress, added) => this.#progress(progress, added), this.#controller.signal),
    );
    this.isLoading = false;
    this.offer();
    if (report) this.#report(report);
    this.onDone();
  }

  #progress({ applied, durable, total }: LoadProgress, added: City[]): void {
    const percent = (part: number) => (total > 0 ? (100 * part) / total : 0);
    this.#applied.style.width = `${percent(applied)}%`;
    this.#durable.style.width = `${percent(durable)}%`;
    this.#bar.setAttribute("aria-valuenow", String(Math.floor(percent(durable))));
    this.#text.textContent = `${count(applied)} of ${count(total)} to be read already, ${count(durable)} durable`;
    if (added.length > 0) this.onAdded(added);
  }

  #report({ applied, resumedAt, durationMs, commits, longestTaskMs }: LoadReport): void {
    const places = applied - resumedAt;
    const longest =
      longestTaskMs === undefined
        ? "this browser does not report long tasks"
        : longestTaskMs === 0
          ? "no task of the main thread above 50 ms"
          : `longest task of the main thread ${millis(longestTaskMs)}`;
    this.element.hidden = false;
    this.element.replaceChildren(
      h(
        "p",
        { class: "load-report", role: "status" },
        `${plural(places, "place")} and their index in ${millis(durationMs)}, ${perSecond((2 * places * 1000) / durationMs)} entries: ${plural(commits, "commit")}, all durable, ${longest}.`,
      ),
    );
  }
}
