/** A list of any length, of which only what is visible exists. Each part is read when it scrolls into view. */

import { h, type Child } from "./dom";
import { count } from "./format";

const ROW_PX = 34;
const SPARE_ROWS = 6;

export interface Source<T> {
  length: number;
  read(offset: number, limit: number): T[];
  row(item: T): Child[];
  open(item: T): void;
  /** After rows were read: which, for a person to see. */
  onRead?(offset: number, limit: number): void;
}

export class VirtualList<T> {
  readonly element: HTMLElement;
  #inner = h("div", { class: "rows", role: "presentation" });
  #source: Source<T> | undefined;
  #items: T[] = [];
  #first = 0;
  #active = 0;

  constructor(label: string) {
    this.element = h(
      "div",
      {
        class: "virtual-list",
        role: "listbox",
        tabindex: "0",
        "aria-label": label,
        on: {
          scroll: () => this.#render(),
          keydown: (event) => this.#key(event),
          click: (event) => this.#click(event),
        },
      },
      this.#inner,
    );
    new ResizeObserver(() => this.#render()).observe(this.element);
  }

  show(source: Source<T>): void {
    this.#source = source;
    this.#active = 0;
    this.element.scrollTop = 0;
    this.refresh();
  }

  /** Reads again what is visible. */
  refresh(length = this.#source?.length ?? 0): void {
    if (this.#source) this.#source.length = length;
    this.#inner.style.height = `${length * ROW_PX}px`;
    this.#render();
  }

  #render(): void {
    const source = this.#source;
    if (!source || this.element.clientHeight === 0) return;
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW_PX) - SPARE_ROWS);
    const rows = Math.ceil(this.element.clientHeight / ROW_PX) + 2 * SPARE_ROWS;
    this.#items = source.read(first, Math.min(rows, source.length - first));
    this.#first = first;
    this.#inner.replaceChildren(...this.#items.map((item, i) => this.#row(source, item, first + i)));
    this.#mark();
    source.onRead?.(first, this.#items.length);
  }

  #row(source: Source<T>, item: T, position: number): HTMLElement {
    return h(
      "div",
      {
        class: "row",
        role: "option",
        id: `row-${position}`,
        "data-position": position,
        style: `top: ${position * ROW_PX}px`,
        "aria-posinset": position + 1,
        "aria-setsize": source.length,
      },
      h("span", { class: "row-number", "aria-hidden": "true" }, count(position + 1)),
      ...source.row(item),
    );
  }

  #mark(): void {
    for (const row of this.#inner.children) row.setAttribute("aria-selected", String(row.id === `row-${this.#active}`));
    this.element.setAttribute("aria-activedescendant", `row-${this.#active}`);
  }

  #key(event: KeyboardEvent): void {
    const page = Math.floor(this.element.clientHeight / ROW_PX);
    const last = (this.#source?.length ?? 0) - 1;
    const moves: Record<string, number> = {
      ArrowDown: this.#active + 1,
      ArrowUp: this.#active - 1,
      PageDown: this.#active + page,
      PageUp: this.#active - page,
      Home: 0,
      End: last,
    };
    if (event.key === "Enter" || event.key === " ") this.#open();
    else if (event.key in moves) this.#moveTo(Math.max(0, Math.min(last, moves[event.key]!)));
    else return;
    event.preventDefault();
  }

  #moveTo(position: number): void {
    this.#active = position;
    const top = position * ROW_PX;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + ROW_PX > scrollTop + clientHeight) this.element.scrollTop = top + ROW_PX - clientHeight;
    this.#render();
  }

  #click(event: MouseEvent): void {
    const row = (event.target as HTMLElement).closest<HTMLElement>(".row");
    if (!row) return;
    this.#active = Number(row.dataset["position"]);
    this.#mark();
    this.#open();
  }

  #open(): void {
    const item = this.#items[this.#active - this.#first];
    if (item !== undefined) this.#source?.open(item);
  }
}
