/** The past: a slider over every commit that changed the places, the map as it was, and what that commit did. */

import { putCity, removeCity } from "../data/cities";
import { change, readStep, stepAt, stepNumbers, type Step } from "../data/journal";
import { changesOf, type PlaceChange } from "../data/changes";
import { fillMap } from "../map/fill";
import { WorldMap } from "../map/map";
import { Points } from "../map/points";
import { button, facts, field, fill, h } from "../ui/dom";
import { count, plural, time } from "../ui/format";
import { atMostEvery, Newest } from "../ui/later";
import { attempt } from "../ui/notices";
import { describe } from "./versions";
import type { App, View } from "./view";

const SHOWN = 40;

export class HistoryView implements View {
  readonly element: HTMLElement;
  #steps: number[] = [];
  #at = 0;
  #isNewest = true;
  #asOf: Date | undefined;
  #slider = h("input", {
    type: "range",
    id: "moment",
    min: "0",
    step: "1",
    "aria-label": "Moment",
    on: { input: () => this.#moveTo(this.#slider.valueAsNumber) },
  });
  #when = h("p", { class: "moment", role: "status" });
  #map = new WorldMap("Map of the places as they were");
  #facts = h("div");
  #changes = h("div", { class: "changes" });
  #clock = h("input", { type: "datetime-local", step: "1" });
  #reading = new Newest();
  #draw = atMostEvery(60, () => this.app.store.isOpen && void attempt("Reading the past", () => this.#read()));
  #back = button("Earlier", () => this.#moveTo(this.#at - 1));
  #forth = button("Later", () => this.#moveTo(this.#at + 1));

  constructor(readonly app: App) {
    const asOf = h(
      "form",
      {
        class: "as-of",
        on: {
          submit: (event) => {
            event.preventDefault();
            void attempt("Going there", () => this.#goTo(new Date(this.#clock.value)));
          },
        },
      },
      field("As of", this.#clock),
      h("button", { type: "submit", class: "button" }, "Go"),
    );
    this.element = h(
      "section",
      { class: "view history-view", "aria-labelledby": "history-title" },
      h("h1", { id: "history-title" }, "Any moment of the past"),
      h(
        "p",
        { class: "lead" },
        "Nothing is overwritten. Drag to an earlier commit, and the map and all its data are read as they were then.",
      ),
      h(
        "div",
        { class: "time-travel" },
        this.#when,
        h("div", { class: "slider" }, this.#back, this.#slider, this.#forth),
        asOf,
      ),
      h("div", { class: "history-body" }, h("div", {}, this.#map.element, this.#facts), this.#changes),
    );
  }

  show(): void {
    this.#isNewest = true;
    this.#update();
  }

  hide(): void {
    this.#reading.stop();
  }

  moved(): void {
    const { journal } = this.app.store.keyspaces;
    if (journal.count() !== this.#steps.length) this.#update();
  }

  #update(): void {
    this.#steps = stepNumbers(this.app.store);
    const last = Math.max(0, this.#steps.length - 1);
    this.#slider.max = String(last);
    this.#slider.disabled = last === 0;
    this.#moveTo(this.#isNewest ? last : this.#at);
  }

  #moveTo(position: number): void {
    const last = Math.max(0, this.#steps.length - 1);
    this.#at = Math.max(0, Math.min(last, position));
    this.#isNewest = this.#at === last;
    this.#asOf = undefined;
    this.#slider.value = String(this.#at);
    this.#back.disabled = this.#at === 0;
    this.#forth.disabled = this.#at === last;
    this.#draw();
  }

  /** The data as of a time, which need not be that of a commit. */
  #goTo(time: Date): void {
    this.#moveTo(stepAt(this.app.store, this.#steps, time));
    this.#asOf = time;
  }

  async #read(): Promise<void> {
    const signal = this.#reading.next();
    const step = this.#steps.length > 0 ? readStep(this.app.store, this.#steps[this.#at]!) : undefined;
    if (!step) {
      this.#when.textContent = "There is no past yet. Load the cities under Search.";
      return;
    }
    this.#tell(step, this.#asOf);
    const { db } = this.app.store;
    const view = this.#asOf ? db.asOf(this.#asOf) : db.at(step.version);
    try {
      const { names } = this.app.store.keyspaces;
      const [then, now] = [view.keyspace(names).count(), names.count()];
      this.#facts.replaceChildren(
        facts([
          ["Places then", count(then)],
          ["Places now", count(now)],
          ["Version", count(step.version)],
        ]),
      );
      this.#map.label(`Map of the ${count(then)} places of ${time(step.time)}`);
      const changes = await changesOf(this.app.store, step.version);
      if (signal.aborted) return;
      this.#showChanges(step, changes);
      await fillMap(this.#map, view.keyspace(names), signal);
    } finally {
      view.close();
    }
  }

  #tell(step: Step, asOf: Date | undefined): void {
    const position = `commit ${count(this.#at + 1)} of ${count(this.#steps.length)}`;
    this.#when.replaceChildren(
      h("strong", {}, time(asOf ?? step.time)),
      asOf ? ` as of this time; the last commit before it is ${position}` : ` ${position}`,
    );
    this.#slider.setAttribute("aria-valuetext", `${time(step.time)}, ${position}: ${step.did} ${step.what}`);
  }

  #showChanges(step: Step, changes: PlaceChange[]): void {
    const title = step.did === "load" ? `Loaded ${step.what}` : `${step.did[0]!.toUpperCase()}${step.did.slice(1)}`;
    const points = new Points();
    for (const { city } of changes) if (city) points.add(city.latitude, city.longitude);
    this.#map.showMatches(points);
    const items = changes.slice(0, SHOWN).map((one) =>
      h(
        "li",
        {},
        button(one.title, () => this.app.go("search", one.key), { class: "link" }),
        h("span", { class: "hint" }, describe(one.before, one.after)),
      ),
    );
    fill(
      this.#changes,
      h("h2", {}, title),
      h("ol", { class: "change-list" }, ...items),
      changes.length > SHOWN &&
        h("p", { class: "hint" }, `and ${plural(changes.length - SHOWN, "more place", "more places")}`),
      this.#canUndo(step, changes) && button("Undo this change", () => this.#undo(changes[0]!)),
    );
  }

  #canUndo(step: Step, changes: PlaceChange[]): boolean {
    return step.did !== "load" && changes.length === 1 && !this.app.store.db.readOnly;
  }

  async #undo({ key, before }: PlaceChange): Promise<void> {
    await attempt("Undoing", () =>
      change(this.app.store, { did: "restore", what: key }, (tx) => {
        if (before) putCity(tx, this.app.store.keyspaces, key, before);
        else removeCity(tx, this.app.store.keyspaces, key);
      }),
    );
  }
}
