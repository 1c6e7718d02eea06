/** Where the data is, what is durable, how it leaves and comes back. */

import { exportDatabase, importDatabase, startOver } from "../data/transfer";
import { LEVELS, STORAGES, keepSettings, type Level, type Settings } from "../store/settings";
import { button, facts, field, h, select } from "../ui/dom";
import { confirm } from "../ui/confirm";
import { bytes, count, millis, plural } from "../ui/format";
import { attempt, showNews } from "../ui/notices";
import { MODES } from "./status";
import { readOnlyReason, type App, type View } from "./view";

export class StorageView implements View {
  readonly element: HTMLElement;
  #facts = h("div");
  #choice = h("div", { class: "panel" });
  #transfer = h("div", { class: "panel" });
  #tabs = h("div", { class: "panel" });
  #bar = h("progress", { max: "1", value: "0", hidden: true, "aria-label": "Progress" });
  #file = h("input", {
    type: "file",
    class: "visually-hidden",
    id: "import-file",
    tabindex: "-1",
    "aria-label": "File to import",
    on: { change: () => void this.#import() },
  });

  constructor(readonly app: App) {
    this.element = h(
      "section",
      { class: "view storage-view", "aria-labelledby": "storage-title" },
      h("h1", { id: "storage-title" }, "Where it is kept"),
      h(
        "p",
        { class: "lead" },
        "In this browser, in the files of one format. The same files open in a native program, byte for byte.",
      ),
      this.#facts,
      h("div", { class: "panels" }, this.#choice, this.#transfer, this.#tabs),
    );
  }

  show(): void {
    this.#drawChoice();
    this.#drawTransfer();
    this.#drawTabs();
    this.moved();
  }

  moved(): void {
    void attempt("Asking the storage", async () => {
      const { db } = this.app.store;
      const answer = await this.app.store.askStorage();
      if (!answer) return;
      const { usage, quota, persisted, mode } = answer;
      const { recovery, version, durableVersion } = db;
      const persist = persisted
        ? "yes: the browser does not evict it by itself"
        : h(
            "span",
            {},
            "no: the browser may evict it when space is short ",
            button("Ask for it", () => this.#persist(), { class: "button quiet" }),
          );
      this.#facts.replaceChildren(
        facts([
          ["Storage", MODES[mode]],
          ["Version", count(version)],
          ["Durable", durableVersion === version ? "all of it" : `up to ${count(durableVersion)}`],
          [
            "Used by this origin",
            usage === undefined
              ? "the browser does not say"
              : `${bytes(usage)}${quota === undefined ? "" : ` of ${bytes(quota)}`}`,
          ],
          ["Persistent", persist],
          [
            "Opened",
            `${millis(this.app.store.openMs)}: ${recovery.snapshot ? plural(recovery.snapshotEntries, "entry", "entries") + " from a snapshot, " : ""}${plural(recovery.framesReplayed, "frame")} replayed`,
          ],
        ]),
      );
    });
  }

  #drawChoice(): void {
    const { settings } = this.app.store;
    const levels = Object.fromEntries(Object.entries(LEVELS).map(([name, { label }]) => [name, label])) as Record<
      Level,
      string
    >;
    this.#choice.replaceChildren(
      h("h2", {}, "Choose"),
      field(
        "Storage",
        select(STORAGES, settings.storage, (storage) => this.#reopen({ ...settings, storage }), {
          id: "storage-choice",
        }),
        "Each has its own data.",
      ),
      field(
        "Durability",
        select(levels, settings.level, (level) => this.#reopen({ ...settings, level }), { id: "durability-choice" }),
        `An acknowledged commit ${LEVELS[settings.level].promise}.`,
      ),
      h(
        "div",
        { class: "actions" },
        button("Reopen", () => this.#reopen(settings), { id: "reopen" }),
      ),
    );
  }

  #drawTransfer(): void {
    const reason = readOnlyReason(this.app);
    this.#transfer.replaceChildren(
      h("h2", {}, "Take it along"),
      h("p", {}, "An export is the whole database with its history, in one file."),
      h(
        "div",
        { class: "actions" },
        button("Export", () => this.#export(), { id: "export", class: "button primary" }),
        button("Import", () => this.#file.click(), { id: "import", disabled: reason !== undefined }),
        button("Start over", () => this.#startOver(), {
          id: "start-over",
          class: "button danger",
          disabled: reason !== undefined,
        }),
        this.#file,
      ),
      this.#bar,
    );
  }

  #drawTabs(): void {
    const { db } = this.app.store;
    const follow = db.readOnly
      ? [
          h(
            "p",
            {},
            "Another tab writes; this one follows what is durable there, live. When that tab is closed, this one can take over.",
          ),
          button("Take over when it is free", () => this.#takeOver(), { id: "take-over" }),
        ]
      : [
          h(
            "p",
            {},
            "One tab writes. A second one opens read-only and follows it, live. Open one, and edit a place here.",
          ),
          h("a", { class: "button", href: "./", target: "_blank", id: "second-tab" }, "Open a second tab"),
        ];
    this.#tabs.replaceChildren(h("h2", {}, "A second tab"), ...follow);
  }

  async #reopen(settings: Settings): Promise<void> {
    await attempt("Opening", async () => {
      await this.app.store.reopen(settings);
      keepSettings(settings);
    });
    if (this.app.store.isOpen) this.show();
  }

  async #persist(): Promise<void> {
    const granted = await attempt("Asking", () => this.app.store.db.requestPersistence());
    if (granted === false)
      showNews("The browser declined. It decides by itself, for example by how often a page is visited.");
    this.moved();
  }

  async #export(): Promise<void> {
    await attempt("The export", () => exportDatabase(this.app.store, (part) => this.#progress(part)));
    this.#bar.hidden = true;
  }

  async #import(): Promise<void> {
    const file = this.#file.files?.[0];
    this.#file.value = "";
    if (!file) return;
    if (
      !(await confirm(
        "Replace everything?",
        `${file.name} is checked first. Then it replaces the database that is here, history included.`,
        "Replace",
      ))
    )
      return;
    const done = await attempt("The import", () =>
      importDatabase(this.app.store, file, (part) => this.#progress(part)).then(() => true),
    );
    this.#bar.hidden = true;
    if (done) showNews(`${file.name} is imported: version ${count(this.app.store.db.version)}.`);
  }

  async #startOver(): Promise<void> {
    if (
      !(await confirm(
        "Delete everything?",
        "The database in this storage is destroyed, with all places, edits and history.",
        "Delete",
      ))
    )
      return;
    await attempt("Starting over", () => startOver(this.app.store));
  }

  async #takeOver(): Promise<void> {
    showNews("Waiting for the other tab to close.");
    await attempt("Taking over", () => this.app.store.takeOver());
  }

  #progress(part: number | undefined): void {
    this.#bar.hidden = false;
    if (part === undefined) this.#bar.removeAttribute("value");
    else this.#bar.value = part;
  }
}
