/** One line that always says where the data is and what of it is durable. */

import type { StorageMode } from "selkie";
import { LEVELS } from "../store/settings";
import type { Store } from "../store/store";
import { h } from "../ui/dom";
import { bytes, count } from "../ui/format";
import { atMostEvery } from "../ui/later";
import { attempt } from "../ui/notices";

export const MODES: Record<StorageMode, string> = {
  opfs: "OPFS, the browser’s private file system",
  indexeddb: "IndexedDB",
  file: "Files",
  memory: "Memory only: gone with the page",
};

const SHORT: Record<StorageMode, string> = { opfs: "OPFS", indexeddb: "IndexedDB", file: "Files", memory: "Memory" };

export class Status {
  readonly element = h("dl", { class: "status", "aria-label": "State of the database" });
  #usage = "";
  #askUsage = atMostEvery(2000, () => void attempt("Asking the storage", () => this.#ask()));

  constructor(readonly store: Store) {
    store.on("opened", () => this.#moved());
    store.on("moved", () => this.#moved());
    store.on("lost", () => this.#draw([["Database", "lost"]]));
  }

  #moved(): void {
    this.#askUsage();
    this.#show();
  }

  #show(): void {
    const { db, settings } = this.store;
    const open = db.version - db.durableVersion;
    this.#draw([
      ["Storage", SHORT[db.mode]],
      ["Durability", db.readOnly ? "read-only, follows another tab" : LEVELS[settings.level].label.toLowerCase()],
      ["Version", count(db.version)],
      ["Durable", open === 0 ? "all" : `all but ${count(open)}`],
      ["Used", this.#usage || "…"],
    ]);
  }

  async #ask(): Promise<void> {
    if (!this.store.isOpen) return;
    const answer = await this.store.askStorage();
    if (!answer) return;
    const { usage, quota, persisted } = answer;
    const of = quota === undefined ? "" : ` of ${bytes(quota)}`;
    this.#usage = usage === undefined ? "not said" : `${bytes(usage)}${of}${persisted ? ", persistent" : ""}`;
    if (this.store.isOpen) this.#show();
  }

  #draw(entries: [string, string][]): void {
    this.element.replaceChildren(
      ...entries.map(([term, detail]) =>
        h("div", { "data-fact": term.toLowerCase() }, h("dt", {}, term), h("dd", {}, detail)),
      ),
    );
  }
}
