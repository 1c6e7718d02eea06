/** The page: one database, six views of it, and the address that says which is shown. */

import "@fontsource/newsreader/500.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/frame.css";
import "./style/parts.css";
import "./style/views.css";
import "./style/search.css";
import "./style/entry.css";
import { readSettings } from "./store/settings";
import { Store } from "./store/store";
import { h } from "./ui/dom";
import { attempt, notices, showError } from "./ui/notices";
import { themeButton } from "./ui/theme";
import { wordmark } from "./ui/wordmark";
import { BrowseView } from "./views/browse";
import { ClosedView } from "./views/closed";
import { FiguresView } from "./views/figures";
import { HistoryView } from "./views/history";
import { RecoveryView } from "./views/recovery";
import { SearchView } from "./views/search";
import { Status } from "./views/status";
import { StorageView } from "./views/storage";
import type { App, View } from "./views/view";

const store = new Store(readSettings());
const app: App = {
  store,
  go(view, key) {
    location.hash = key === undefined ? view : `${view}/${encodeURIComponent(key)}`;
  },
};

const search = new SearchView(app);
const views: Record<string, [label: string, view: View]> = {
  search: ["Search", search],
  browse: ["Browse", new BrowseView(app)],
  history: ["History", new HistoryView(app)],
  recovery: ["Recovery", new RecoveryView(app)],
  figures: ["Figures", new FiguresView(app)],
  storage: ["Storage", new StorageView(app)],
};

const closed = new ClosedView(app);
const status = new Status(store);
const main = h("main", { id: "main", tabindex: "-1" }, h("p", { class: "lead opening" }, "Opening the database…"));
const links = Object.entries(views).map(([name, [label]]) => h("a", { href: `#${name}`, "data-label": label }, label));
let shown: View | undefined;

function start(): void {
  document.body.append(
    h(
      "a",
      {
        class: "skip",
        href: "#main",
        on: {
          click: (event) => {
            event.preventDefault();
            main.focus();
          },
        },
      },
      "Skip to the content",
    ),
    h("header", { class: "frame-header" }, wordmark(), h("nav", { "aria-label": "Views" }, ...links), themeButton()),
    status.element,
    notices(),
    main,
    h(
      "footer",
      { class: "frame-footer" },
      "Places from ",
      h("a", { href: "https://www.geonames.org/" }, "GeoNames"),
      ", ",
      h("a", { href: "https://creativecommons.org/licenses/by/4.0/" }, "CC BY 4.0"),
      ". Everything stays in this browser.",
    ),
  );
  addEventListener("hashchange", route);
  addEventListener("unhandledrejection", ({ reason }) => showError(reason, "Work in the background"));
  store.on("opened", () => route());
  store.on("moved", () => shown?.moved?.());
  store.on("lost", (error) => store.isLossExpected || showClosed(error));
  store.open().catch(showClosed);
}

function showClosed(error: unknown): void {
  shown?.hide?.();
  shown = undefined;
  closed.explain(error);
  main.replaceChildren(closed.element);
}

function route(): void {
  if (!store.isOpen) return;
  const [name = "", key] = location.hash.slice(1).split("/");
  const [label, view] = views[name] ?? views["search"]!;
  if (shown !== view) shown?.hide?.();
  shown = view;
  document.title = `${label} · Selkie`;
  for (const link of links) {
    if (link.textContent === label) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (main.firstElementChild !== view.element) main.replaceChildren(view.element);
  void attempt("Showing this view", () => view.show?.());
  if (view === search) search.open(key === undefined ? undefined : decodeURIComponent(key));
}

start();
