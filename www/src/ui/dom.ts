/** Elements, made in one expression. */

export type Child = Node | string | undefined | false;

type Listeners = { [E in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[E]) => void };

export interface Properties {
  class?: string;
  id?: string;
  on?: Listeners;
  /** Attributes; `true` is one without a value, `false` and undefined leave it out. */
  [attribute: string]: string | number | boolean | undefined | Listeners;
}

export function h<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") listen(element, value as Listeners);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** Gives an element these children in place of those it has. */
export function fill(element: HTMLElement, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child) => child !== undefined && child !== false));
}

function listen(element: HTMLElement, listeners: Listeners): void {
  for (const [event, listener] of Object.entries(listeners)) element.addEventListener(event, listener as EventListener);
}

export function button(label: string, action: () => unknown, properties: Properties = {}): HTMLButtonElement {
  return h("button", { type: "button", class: "button", on: { click: () => void action() }, ...properties }, label);
}

/** A label above its control. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLLabelElement {
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, label),
    control,
    hint !== undefined && h("span", { class: "hint" }, hint),
  );
}

export function select<T extends string>(
  options: Record<T, string>,
  chosen: T,
  onChange: (value: T) => void,
  properties: Properties = {},
): HTMLSelectElement {
  const entries = Object.entries<string>(options);
  const element = h(
    "select",
    { on: { change: () => onChange(element.value as T) }, ...properties },
    ...entries.map(([value, label]) => h("option", { value, selected: value === chosen }, label)),
  );
  return element;
}

/** Terms and what they are, as a definition list. */
export function facts(
  entries: [term: string, detail: Child][],
  properties: Properties = { class: "facts" },
): HTMLElement {
  return h("dl", properties, ...entries.map(([term, detail]) => h("div", {}, h("dt", {}, term), h("dd", {}, detail))));
}
