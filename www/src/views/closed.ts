/** What is shown while no database is open: why, and the ways out. */

import { destroy } from "selkie";
import { DATABASE } from "../store/store";
import { STORAGES, keepSettings } from "../store/settings";
import { explain } from "../ui/advice";
import { confirm } from "../ui/confirm";
import { button, field, fill, h, select } from "../ui/dom";
import { attempt } from "../ui/notices";
import type { App, View } from "./view";

export class ClosedView implements View {
  readonly element = h("section", { class: "view closed-view", "aria-labelledby": "closed-title" });

  constructor(readonly app: App) {}

  explain(error: unknown): void {
    const { code, message, advice } = explain(error);
    const { settings } = this.app.store;
    const storage = select(STORAGES, settings.storage, (chosen) => (settings.storage = chosen), {
      id: "storage-choice",
    });
    fill(
      this.element,
      h("h1", { id: "closed-title" }, "No database is open"),
      h("p", { class: "lead", role: "alert" }, h("code", {}, code), ` ${message}`),
      h("p", {}, advice),
      field("Storage", storage),
      h(
        "div",
        { class: "actions" },
        button("Open again", () => this.#open(), { class: "button primary", id: "reopen" }),
        button("Start over", () => this.#startOver(), { class: "button danger" }),
      ),
    );
  }

  async #open(): Promise<void> {
    const { store } = this.app;
    try {
      await store.open();
      keepSettings(store.settings);
    } catch (error) {
      this.explain(error);
    }
  }

  async #startOver(): Promise<void> {
    const { storage } = this.app.store.settings;
    if (
      !(await confirm(
        "Delete everything?",
        "The database in this storage is destroyed, with all places, edits and history.",
        "Delete",
      ))
    )
      return;
    const done = await attempt("Starting over", () => destroy(DATABASE, { storage }).then(() => true));
    if (done) await this.#open();
  }
}
