/** One place: what it is, editing and deleting it, and every version it had. */

import { putCity, removeCity, type City } from "../data/cities";
import { change } from "../data/journal";
import { button, facts, field, fill, h } from "../ui/dom";
import { country, place } from "../ui/format";
import { attempt } from "../ui/notices";
import { versionList } from "./versions";
import { readOnlyReason, type App } from "./view";

export class EntryPanel {
  readonly element = h("section", { class: "entry", "aria-labelledby": "entry-title", hidden: true });
  key: string | undefined;
  #shownVersion = -1;

  constructor(
    readonly app: App,
    readonly close: () => void,
  ) {}

  open(key: string | undefined): City | undefined {
    const isNew = key !== this.key;
    this.key = key;
    this.#shownVersion = -1;
    this.refresh();
    if (isNew && key !== undefined) this.element.querySelector<HTMLElement>("h2")?.focus();
    return key === undefined ? undefined : this.app.store.keyspaces.cities.get(key);
  }

  /** Draws it anew if its newest version is another than the one shown. */
  refresh(): void {
    this.element.hidden = this.key === undefined;
    if (this.key === undefined) return;
    const versions = this.app.store.keyspaces.cities.history(this.key);
    const newest = versions[0]?.version ?? 0;
    if (newest === this.#shownVersion) return;
    this.#shownVersion = newest;
    this.#draw(this.key, this.app.store.keyspaces.cities.get(this.key), versions);
  }

  #draw(key: string, city: City | undefined, versions: Parameters<typeof versionList>[0]): void {
    const title = city?.name ?? versions.find(({ value }) => value)?.value?.name ?? key;
    fill(
      this.element,
      h(
        "header",
        { class: "entry-header" },
        h("h2", { id: "entry-title", tabindex: "-1" }, title),
        button("Close", this.close, { class: "button quiet" }),
      ),
      city
        ? this.#facts(key, city)
        : h(
            "p",
            { class: "gone" },
            versions.length > 0 ? "This place was deleted. Its history is still here." : "There is no such place.",
          ),
      city && this.#form(key, city),
      versionList(versions, readOnlyReason(this.app) ? undefined : (value) => this.#restore(key, value)),
    );
  }

  #facts(key: string, city: City): HTMLElement {
    return facts([
      ["Where", [city.region, country(city.country)].filter(Boolean).join(", ")],
      ["Position", place(city.latitude, city.longitude)],
      ["Key", h("code", {}, key)],
    ]);
  }

  #form(key: string, city: City): HTMLElement {
    const reason = readOnlyReason(this.app);
    if (reason) return h("p", { class: "hint" }, reason);
    const name = h("input", { name: "name", value: city.name, required: true, maxlength: "200", autocomplete: "off" });
    const note = h("input", { name: "note", value: city.note ?? "", maxlength: "500", autocomplete: "off" });
    const latitude = h("input", {
      name: "latitude",
      type: "number",
      step: "any",
      min: "-90",
      max: "90",
      value: city.latitude,
      required: true,
    });
    const longitude = h("input", {
      name: "longitude",
      type: "number",
      step: "any",
      min: "-180",
      max: "180",
      value: city.longitude,
      required: true,
    });
    return h(
      "form",
      {
        class: "entry-form",
        on: {
          submit: (event) => {
            event.preventDefault();
            const edited: City = {
              ...city,
              name: name.value,
              latitude: latitude.valueAsNumber,
              longitude: longitude.valueAsNumber,
            };
            if (note.value) edited.note = note.value;
            else delete edited.note;
            void this.#save(key, edited, "edit");
          },
        },
      },
      h(
        "div",
        { class: "entry-fields" },
        field("Name", name),
        field("Latitude", latitude),
        field("Longitude", longitude),
        field("Note", note),
      ),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "submit", class: "button primary" }, "Save"),
        button("Delete", () => this.#delete(key), { class: "button danger" }),
      ),
    );
  }

  async #save(key: string, city: City, did: "edit" | "restore"): Promise<void> {
    await attempt("Saving", () =>
      change(this.app.store, { did, what: key }, (tx) => putCity(tx, this.app.store.keyspaces, key, city)),
    );
  }

  async #restore(key: string, value: City): Promise<void> {
    await this.#save(key, value, "restore");
  }

  async #delete(key: string): Promise<void> {
    await attempt("Deleting", () =>
      change(this.app.store, { did: "delete", what: key }, (tx) => removeCity(tx, this.app.store.keyspaces, key)),
    );
  }
}
