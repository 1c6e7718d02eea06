/** The places found, as a list that arrow keys walk through. */

import type { Found } from "../data/search";
import { fold } from "../data/cities";
import { h } from "../ui/dom";
import { country } from "../ui/format";

export class Results {
  readonly element = h("ul", {
    class: "results",
    "aria-label": "Places found",
    on: { keydown: (event) => this.#key(event) },
  });

  constructor(
    readonly open: (key: string) => void,
    readonly leave: () => void,
  ) {}

  show(found: Found[], sought: string, selected: string | undefined): void {
    const buttons = found.map(({ key, city }, position) => {
      const where = [city.region, country(city.country)].filter(Boolean).join(", ");
      return h(
        "button",
        {
          type: "button",
          class: "result",
          "data-key": key,
          tabindex: position === 0 ? "0" : "-1",
          "aria-current": key === selected ? "true" : undefined,
          on: { click: () => this.open(key) },
        },
        h("span", { class: "result-name" }, ...emphasized(city.name, sought)),
        h("span", { class: "result-place" }, where),
      );
    });
    this.element.replaceChildren(...buttons.map((button) => h("li", {}, button)));
  }

  select(key: string | undefined): void {
    for (const button of this.#buttons()) button.setAttribute("aria-current", String(button.dataset["key"] === key));
  }

  focusFirst(): void {
    this.#focus(this.#buttons()[0]);
  }

  #buttons(): HTMLElement[] {
    return [...this.element.querySelectorAll<HTMLElement>(".result")];
  }

  #key(event: KeyboardEvent): void {
    const buttons = this.#buttons();
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 };
    const next = to[event.key];
    if (next === undefined) return;
    event.preventDefault();
    if (next < 0) this.leave();
    else this.#focus(buttons[next]);
  }

  /** One of them is on the way of the Tab key, not all. */
  #focus(button: HTMLElement | undefined): void {
    if (!button) return;
    for (const other of this.#buttons()) other.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  }
}

/** The part of a name that was typed, as far as its folded letters reach. */
function emphasized(name: string, sought: string): (Node | string)[] {
  const folded = fold(sought);
  let end = 0;
  while (end < name.length && fold(name.slice(0, end)).length < folded.length) end += 1;
  return folded ? [h("mark", {}, name.slice(0, end)), name.slice(end)] : [name];
}
