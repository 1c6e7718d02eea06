/** Errors and news above the page: each with its code, what it means, and what to do. They stay until they are closed. */

import { explain } from "./advice";
import { button, h, type Child } from "./dom";

const place = h("div", { class: "notices", role: "region", "aria-label": "Messages" });

export function notices(): HTMLElement {
  return place;
}

export function showError(error: unknown, doing: string): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  console.error(doing, error);
  const { code, message, advice } = explain(error);
  show(
    "error",
    h("p", {}, h("strong", {}, `${doing} failed. `), h("code", {}, code), ` ${message}`),
    h("p", { class: "advice" }, advice),
  );
}

export function showNews(text: string): void {
  show("news", h("p", {}, text));
}

function show(kind: "error" | "news", ...content: Child[]): void {
  const text = content.map((child) => (child instanceof Node ? child.textContent : child)).join("");
  for (const earlier of [...place.children])
    if (earlier.querySelector(".notice-text")?.textContent === text) earlier.remove();
  const notice: HTMLElement = h(
    "div",
    { class: `notice ${kind}`, role: kind === "error" ? "alert" : "status" },
    h("div", { class: "notice-text" }, ...content),
    button("Close", () => notice.remove(), { class: "quiet" }),
  );
  place.append(notice);
}

/** Does something for a person; what fails is shown. */
export async function attempt<T>(doing: string, work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    showError(error, doing);
    return undefined;
  }
}
