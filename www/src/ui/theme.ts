/** Light or dark: as the system has it, or as the person chose. */

import { h } from "./dom";

type Theme = "system" | "light" | "dark";

const KEY = "selkie-theme";
const NEXT: Record<Theme, Theme> = { system: "dark", dark: "light", light: "system" };
const LABELS: Record<Theme, string> = { system: "Auto", dark: "Dark", light: "Light" };

const listeners = new Set<() => void>();
const systemDark = matchMedia("(prefers-color-scheme: dark)");
let theme = readTheme();

systemDark.addEventListener("change", apply);
apply();

/** Calls when colours changed, for what is painted by hand. */
export function onTheme(listener: () => void): void {
  listeners.add(listener);
}

export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function themeButton(): HTMLButtonElement {
  const label = h("span", {}, LABELS[theme]);
  const element = h(
    "button",
    {
      type: "button",
      class: "theme-button",
      "aria-label": describe(),
      title: "Light, dark, or as the system has it",
      on: { click },
    },
    h("span", { class: "theme-disc", "aria-hidden": "true" }),
    label,
  );
  function click(): void {
    theme = NEXT[theme];
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
    apply();
    label.textContent = LABELS[theme];
    element.setAttribute("aria-label", describe());
  }
  return element;
}

function describe(): string {
  return `Colours: ${LABELS[theme]}. Switch to ${LABELS[NEXT[theme]]}.`;
}

function readTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

function apply(): void {
  const isDark = theme === "dark" || (theme === "system" && systemDark.matches);
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  for (const listener of listeners) listener();
}
