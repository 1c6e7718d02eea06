/** What it takes: commits and reads as they come in this page, storage and memory in use, and a measurement on request. */

import { measureCommits, measureReads, sampleKeys, type ReadFigures } from "../data/bench";
import { percentile } from "../store/latencies";
import { StorageSamples } from "../store/samples";
import { Chart } from "../ui/chart";
import { button, h } from "../ui/dom";
import { bytes, count, micros, millis, perSecond, plural } from "../ui/format";
import { Newest } from "../ui/later";
import { attempt } from "../ui/notices";
import { readOnlyReason, type App, type View } from "./view";

const INTERVAL_MS = 1000;
const KEPT = 300;

export class FiguresView implements View {
  readonly element: HTMLElement;
  #samples: StorageSamples;
  #reads: (ReadFigures & { at: number })[] = [];
  #keys: string[] = [];
  #measuring = new Newest();
  #timer = 0;
  #commits = new Chart({
    label: "Commits",
    logarithmic: true,
    format: millis,
    lines: [{ label: "one commit, from the call to its promise of durability", color: "accent", dots: true }],
  });
  #readChart = new Chart({
    label: "Reads",
    logarithmic: true,
    format: micros,
    lines: [
      { label: "get", color: "accent" },
      { label: "range of 100", color: "match" },
    ],
  });
  #storage = new Chart({
    label: "Storage",
    format: bytes,
    lines: [
      { label: "log", color: "accent" },
      { label: "snapshot", color: "match" },
      { label: "newest values", color: "kelp" },
      { label: "history", color: "dusk" },
      { label: "memory of the engine", color: "ink-soft" },
    ],
  });
  #commitText = h("p", { class: "figure-text" });
  #readText = h("p", { class: "figure-text" });
  #storageText = h("p", { class: "figure-text" });
  #results = h("tbody");
  #table = h(
    "table",
    { class: "bench", hidden: true },
    h(
      "thead",
      {},
      h("tr", {}, ...["Commits", "per second", "median", "99 %"].map((name) => h("th", { scope: "col" }, name))),
    ),
    this.#results,
  );
  #measure = button("Measure commits", () => this.#run(), { class: "button primary" });
  #hint = h("p", { class: "hint" });

  constructor(readonly app: App) {
    this.#samples = new StorageSamples(app.store);
    const snapshot = button("Write a snapshot", () => attempt("Writing a snapshot", () => app.store.db.checkpoint()), {
      id: "checkpoint",
    });
    this.element = h(
      "section",
      { class: "view figures-view", "aria-labelledby": "figures-title" },
      h("h1", { id: "figures-title" }, "What it takes"),
      h("p", { class: "lead" }, "Measured in this tab, on this machine, while you watch."),
      h(
        "div",
        { class: "figure-grid" },
        figure("Reads", this.#readText, this.#readChart.element),
        figure("Commits", this.#commitText, this.#commits.element),
        figure("Storage and memory", this.#storageText, this.#storage.element, snapshot),
        figure("How many commits", this.#hint, this.#table, this.#measure),
      ),
    );
  }

  show(): void {
    const reason = readOnlyReason(this.app);
    this.#hint.textContent =
      reason ??
      "In a database of their own beside this one, destroyed afterwards: four ways of committing, 0.7 s each.";
    this.#measure.disabled = reason !== undefined;
    this.#keys = [];
    let isBusy = false;
    const tick = async () => {
      if (isBusy) return;
      isBusy = true;
      await attempt("Measuring", () => this.#tick());
      isBusy = false;
    };
    clearInterval(this.#timer);
    this.#timer = window.setInterval(() => void tick(), INTERVAL_MS);
    void tick();
  }

  hide(): void {
    clearInterval(this.#timer);
    this.#measuring.stop();
  }

  async #tick(): Promise<void> {
    const { store } = this.app;
    if (!store.isOpen || document.hidden) return;
    const signal = this.#measuring.next();
    const keys = this.#keys.length > 0 ? this.#keys : await sampleKeys(store, signal);
    if (signal.aborted) return;
    this.#keys = keys;
    const reads = keys.length > 0 ? await measureReads(store, keys, signal) : undefined;
    if (signal.aborted) return;
    if (reads) this.#reads = [...this.#reads.slice(-KEPT), { ...reads, at: performance.now() }];
    this.#showReads(reads);
    this.#showCommits();
    this.#showStorage();
  }

  #showReads(reads: ReadFigures | undefined): void {
    this.#readText.textContent = reads
      ? `A get takes ${micros(reads.get)}, which is ${perSecond(1e6 / reads.get)}; a range of 100 places ${micros(reads.range)}, values decoded; counting all ${micros(reads.count)}. Each is the median of three batches.`
      : "Load the cities under Search first.";
    if (this.#reads.length > 0)
      this.#readChart.show([
        seconds(this.#reads),
        this.#reads.map(({ get }) => get),
        this.#reads.map(({ range }) => range),
      ]);
  }

  #showCommits(): void {
    const samples = this.app.store.latencies.newest();
    if (samples.length === 0) {
      this.#commitText.textContent = "No commit in this tab so far.";
      return;
    }
    const sorted = samples.map(({ ms }) => ms).sort((one, other) => one - other);
    this.#commitText.textContent = `${plural(samples.length, "commit")}: half were durable within ${millis(percentile(sorted, 0.5))}, 99 of 100 within ${millis(percentile(sorted, 0.99))}.`;
    const ordered = [...samples].sort((one, other) => one.at - other.at);
    this.#commits.show([seconds(ordered), ordered.map(({ ms }) => Math.max(ms, 0.01))]);
  }

  #showStorage(): void {
    const samples = this.#samples.all();
    const last = samples.at(-1);
    if (!last) return;
    const { keys, versions } = this.app.store.db.stats();
    this.#storageText.textContent = `${plural(keys, "key")} in ${plural(versions, "version")}. In storage: log ${bytes(last.log)}, snapshot ${last.snapshot > 0 ? bytes(last.snapshot) : "none"}. In memory: newest values ${bytes(last.live)}, history ${bytes(last.history)}, the engine in all ${bytes(last.memory)}.`;
    this.#storage.show([
      seconds(samples),
      ...(["log", "snapshot", "live", "history", "memory"] as const).map((name) =>
        samples.map((sample) => sample[name]),
      ),
    ]);
  }

  async #run(): Promise<void> {
    this.#measure.disabled = true;
    this.#results.replaceChildren();
    this.#table.hidden = false;
    await attempt("Measuring", async () => {
      for await (const { label, perSecond: rate, p50, p99 } of measureCommits(this.app.store)) {
        this.#results.append(
          h(
            "tr",
            {},
            h("th", { scope: "row" }, label),
            ...[count(Math.round(rate)), millis(p50), millis(p99)].map((text) => h("td", {}, text)),
          ),
        );
      }
    });
    this.#measure.disabled = false;
  }
}

function figure(title: string, ...content: HTMLElement[]): HTMLElement {
  return h("section", { class: "figure" }, h("h2", {}, title), ...content);
}

function seconds(samples: readonly { at: number }[]): number[] {
  return samples.map(({ at }) => at / 1000);
}
