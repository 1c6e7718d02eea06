/** The first view: every place on a map, found while one types. */

import type { City } from "../data/cities";
import { inSlices } from "../data/pace";
import { countMatches, matchPositions, measureSearch, search, SHOWN } from "../data/search";
import { fillMap } from "../map/fill";
import { WorldMap } from "../map/map";
import { Points } from "../map/points";
import { button, h } from "../ui/dom";
import { count, micros, plural } from "../ui/format";
import { atMostEvery, Newest } from "../ui/later";
import { attempt } from "../ui/notices";
import { EntryPanel } from "./entry";
import { LoadPanel } from "./load-panel";
import { Results } from "./results";
import type { App, View } from "./view";

const TRIES = ["San ", "Saint ", "New ", "Bad ", "Nova ", "Novo", "Stara ", "Al ", "Ban ", "Xi", "Kami"];

export class SearchView implements View {
  readonly element: HTMLElement;
  #input = h("input", {
    type: "search",
    id: "search",
    placeholder: "Try “san ”, “new”, “reykj”",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "search",
    on: { input: () => this.#search(), keydown: (event) => this.#key(event) },
  });
  #latency = h("p", { class: "latency", role: "status" });
  #results = new Results(
    (key) => this.app.go("search", key),
    () => this.#input.focus(),
  );
  #map = new WorldMap("Map of all places");
  #entry: EntryPanel;
  #load: LoadPanel;
  #matching = new Newest();
  #filling = new Newest();
  #measuring = 0;
  #filled = "";
  #searchAgain = atMostEvery(500, () => this.#search());
  #fillAgain = atMostEvery(500, () => void this.#fill());

  constructor(readonly app: App) {
    this.#entry = new EntryPanel(app, () => this.app.go("search"));
    this.#load = new LoadPanel(
      app,
      (cities) => this.#added(cities),
      () => this.#loaded(),
    );
    const box = h(
      "div",
      { class: "search-box" },
      h("label", { for: "search", class: "visually-hidden" }, "Place name"),
      this.#input,
      this.#latency,
    );
    this.element = h(
      "section",
      { class: "view search-view", "aria-labelledby": "search-title" },
      h("h1", { id: "search-title" }, "Every place, at every keystroke"),
      h(
        "p",
        { class: "lead" },
        "Each letter reads a range of an ordered index, right here on the page’s own thread. No request, no worker, no waiting.",
      ),
      h("div", { class: "search-left" }, this.#load.element, box, this.#results.element),
      h("div", { class: "search-right" }, this.#map.element, this.#tries(), this.#entry.element),
    );
  }

  show(): void {
    this.#load.offer();
    this.#search();
    void this.#fill();
  }

  hide(): void {
    this.#matching.stop();
    this.#filling.stop();
    clearTimeout(this.#measuring);
  }

  moved(): void {
    if (this.#load.isLoading) return;
    this.#entry.refresh();
    this.#searchAgain();
    this.#fillAgain();
  }

  /** Opens a place, or none. */
  open(key: string | undefined): void {
    const city = this.#entry.open(key);
    this.#map.select(city?.latitude, city?.longitude);
    this.#results.select(key);
  }

  /** Beginnings of names that show where a language was spoken. */
  #tries(): HTMLElement {
    const tryOut = (text: string) => {
      this.#input.value = text;
      this.#search();
    };
    return h(
      "div",
      { class: "tries" },
      h("span", {}, "Names have a geography:"),
      ...TRIES.map((text) => button(text.trim(), () => tryOut(text), { class: "button" })),
    );
  }

  #search(): void {
    if (!this.app.store.isOpen) return;
    const text = this.#input.value;
    void attempt("Searching", () => {
      const found = search(this.app.store, text);
      this.#results.show(found, text, this.#entry.key);
      this.#tell(text, found.length);
      void this.#match(text);
    });
  }

  /** The results are shown first. How long such a search takes is measured afterwards, by repeating it. */
  #tell(text: string, shown: number): void {
    clearTimeout(this.#measuring);
    const total = text ? countMatches(this.app.store, text) : this.app.store.keyspaces.names.count();
    const what = total > shown ? `${count(total)} places, ${shown} shown` : plural(total, "place");
    this.#map.label(text ? `Map of all places; ${count(total)} begin with ${text}` : "Map of all places");
    if (total === 0) {
      this.#latency.textContent = text ? "No place begins like this." : "";
      return;
    }
    this.#latency.textContent = what;
    this.#measuring = window.setTimeout(() => {
      if (!this.app.store.isOpen) return;
      const { us, repeats } = measureSearch(this.app.store, text);
      const took = h("strong", {}, micros(us));
      took.title = `Repeated ${count(repeats)} times, because timers are too coarse for one: the range of ${SHOWN} index entries, and one read for each place.`;
      this.#latency.replaceChildren(`${what}, read in `, took);
    }, 120);
  }

  async #match(text: string): Promise<void> {
    const signal = this.#matching.next();
    const points = new Points();
    if (text) {
      const isDone = await inSlices(
        matchPositions(this.app.store, text),
        ([latitude, longitude]) => points.add(latitude, longitude),
        signal,
      );
      if (!isDone) return;
    }
    this.#map.showMatches(points);
  }

  /** Reads the map anew when places changed since. */
  async #fill(): Promise<void> {
    const { store } = this.app;
    if (!store.isOpen) return;
    const last = store.keyspaces.journal.keys({ reverse: true, limit: 1 }).first();
    if (this.#load.isLoading || this.#filled === `${store.openings}/${last}`) return;
    const signal = this.#filling.next();
    const filled = await attempt("Reading the map", () => fillMap(this.#map, store.keyspaces.names, signal));
    if (filled !== undefined) this.#filled = `${store.openings}/${last}`;
  }

  #added(cities: City[]): void {
    for (const { latitude, longitude } of cities) this.#map.points.add(latitude, longitude);
    this.#map.grew();
    this.#searchAgain();
  }

  #loaded(): void {
    this.#search();
    void this.#fill();
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      this.#results.focusFirst();
    }
    if (event.key === "Enter") this.#results.element.querySelector<HTMLElement>(".result")?.click();
  }
}
