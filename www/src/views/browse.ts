/** Keyspaces and ranges: a list as long as the data, of which only the visible rows are read, at every scroll. */

import { cityKeyOf } from "../data/cities";
import { measure } from "../data/measure";
import { rangeOptions, shelves, type Shelf } from "../data/shelves";
import { button, field, fill, h, select } from "../ui/dom";
import { count, micros, plural } from "../ui/format";
import { atMostEvery } from "../ui/later";
import { attempt } from "../ui/notices";
import { VirtualList } from "../ui/virtual-list";
import type { App, View } from "./view";

const ORDERS = { forward: "First to last", reverse: "Last to first" };

export class BrowseView implements View {
  readonly element: HTMLElement;
  #name = "cities";
  #shelf!: Shelf;
  #order: keyof typeof ORDERS = "forward";
  #from = h("input", {
    id: "from",
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "the beginning",
    on: { input: () => this.#range() },
  });
  #to = h("input", {
    id: "before",
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "the end",
    on: { input: () => this.#range() },
  });
  #about = h("p", { class: "hint" });
  #latency = h("p", { class: "latency", role: "status" });
  #list = new VirtualList<[unknown, unknown]>("Entries");
  #detail = h("section", { class: "entry browse-detail", "aria-label": "Entry", hidden: true });
  #measureTimer = 0;
  #refresh = atMostEvery(
    300,
    () => this.app.store.isOpen && void attempt("Reading", () => this.#list.refresh(this.#count())),
  );

  constructor(readonly app: App) {
    const names = Object.fromEntries(["cities", "names", "journal", "stream", "default"].map((name) => [name, name]));
    const keyspace = select(names, this.#name, (name) => this.#choose(name), { id: "keyspace" });
    const order = select(
      ORDERS,
      this.#order,
      (value) => {
        this.#order = value;
        this.#range();
      },
      { id: "order" },
    );
    const controls = h(
      "div",
      { class: "range-controls" },
      field("Keyspace", keyspace),
      field("From", this.#from),
      field("Before", this.#to),
      field("Order", order),
    );
    this.element = h(
      "section",
      { class: "view browse-view", "aria-labelledby": "browse-title" },
      h("h1", { id: "browse-title" }, "Keys in order"),
      h(
        "p",
        { class: "lead" },
        "Scroll anywhere. Only the rows you see are read, each time from the database, by their position in the range.",
      ),
      controls,
      this.#about,
      this.#latency,
      h("div", { class: "browse-body" }, this.#list.element, this.#detail),
    );
  }

  show(): void {
    this.#choose(this.#name);
  }

  hide(): void {
    clearTimeout(this.#measureTimer);
  }

  moved(): void {
    this.#refresh();
  }

  #choose(name: string): void {
    if (name !== this.#name) this.#from.value = this.#to.value = "";
    this.#name = name;
    this.#shelf = shelves(this.app.store)[name]!;
    this.#about.textContent = this.#shelf.about;
    this.#detail.hidden = true;
    this.#range();
  }

  #options() {
    return rangeOptions(this.#shelf, {
      from: this.#from.value,
      to: this.#to.value,
      reverse: this.#order === "reverse",
    });
  }

  #count(): number {
    return this.#shelf.reader.count(this.#options());
  }

  #range(): void {
    void attempt("Reading the range", () => {
      const { reader } = this.#shelf;
      const options = this.#options();
      const read = (offset: number, limit: number) =>
        reader.range({ ...options, offset, limit }).all() as [unknown, unknown][];
      this.#list.show({
        length: this.#count(),
        read,
        row: ([key, value]) => [
          h("span", { class: "row-key" }, String(key)),
          h("span", { class: "row-value" }, summary(value)),
        ],
        open: (entry) => this.#open(entry),
        onRead: (offset, limit) => this.#tell(offset, limit, read),
      });
    });
  }

  #tell(offset: number, limit: number, read: (offset: number, limit: number) => unknown): void {
    clearTimeout(this.#measureTimer);
    const total = this.#count();
    this.#latency.textContent = plural(total, "entry", "entries");
    if (total === 0) return;
    this.#measureTimer = window.setTimeout(() => {
      if (!this.app.store.isOpen) return;
      const { us } = measure(() => read(offset, limit));
      this.#latency.replaceChildren(
        `${plural(total, "entry", "entries")}; rows ${count(offset + 1)} to ${count(offset + limit)} read in `,
        h("strong", {}, micros(us)),
      );
    }, 150);
  }

  #open([key, value]: [unknown, unknown]): void {
    const place = this.#name === "cities" ? String(key) : this.#name === "names" ? cityKeyOf(String(key)) : undefined;
    this.#detail.hidden = false;
    fill(
      this.#detail,
      h(
        "header",
        { class: "entry-header" },
        h("h2", { class: "key-title" }, String(key)),
        button("Close", () => (this.#detail.hidden = true), { class: "button quiet" }),
      ),
      h("pre", {}, JSON.stringify(value, undefined, 2)),
      place !== undefined &&
        button("Edit, delete, history", () => this.app.go("search", place), { class: "button primary" }),
    );
  }
}

function summary(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "object" && value !== null)
    return Object.values(value)
      .filter((part) => part !== "")
      .join(" · ");
  return JSON.stringify(value) ?? "";
}
