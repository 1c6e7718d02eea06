/** The writer is cut off in the middle of a stream of commits, the database opened again, and every acknowledged commit looked for. */

import { prepareStream, runStream, verifyStream, type StreamMark, type Verdict } from "../data/stream";
import { forgetReload, keepForReload, readReload } from "../data/reload";
import { button, facts, h } from "../ui/dom";
import { bytes, count, millis, plural } from "../ui/format";
import { atMostEvery } from "../ui/later";
import { attempt } from "../ui/notices";
import { streamBar } from "../ui/stream-bar";
import { LEVELS } from "../store/settings";
import { readOnlyReason, type App, type View } from "./view";

const EARLIEST_MS = 500;
const LATEST_MS = 1500;
const LOSS_MS = 5000;

export class RecoveryView implements View {
  readonly element: HTMLElement;
  #about = h("p", { class: "about" });
  #actions = h("div", { class: "actions" });
  #progress = h("p", { class: "moment", role: "status" });
  #bar = h("div");
  #outcome = h("div", { class: "outcome" });
  #earlier = h("ol", { class: "runs", "aria-label": "Earlier runs", reversed: true });
  #isRunning = false;

  constructor(readonly app: App) {
    this.element = h(
      "section",
      { class: "view recovery-view", "aria-labelledby": "recovery-title" },
      h("h1", { id: "recovery-title" }, "Cut off in mid-commit"),
      h(
        "p",
        { class: "lead" },
        "A commit is acknowledged when it is durable, never earlier. Cut the writer off at a random moment and count.",
      ),
      this.#about,
      this.#actions,
      this.#progress,
      this.#bar,
      this.#outcome,
      this.#earlier,
    );
  }

  show(): void {
    if (this.#isRunning) return;
    this.#offer();
    const mark = readReload();
    if (!mark) return;
    forgetReload();
    void attempt("Checking after the reload", () => this.#judge(mark, "The page was reloaded", this.app.store.openMs));
  }

  #offer(): void {
    const { db, settings } = this.app.store;
    const reason = readOnlyReason(this.app);
    const what = { opfs: WORKER, indexeddb: RELOAD, memory: MEMORY, file: MEMORY }[db.mode];
    const label = db.mode === "opfs" ? "Stream commits, then kill the worker" : "Stream commits, then reload the page";
    const run = () => attempt("The stream", () => (db.mode === "opfs" ? this.#killWorker() : this.#reloadPage()));
    this.#about.textContent = `${what} At the level ${LEVELS[settings.level].label.toLowerCase()}, an acknowledged commit ${LEVELS[settings.level].promise}. A kill is a crash of the program, not a loss of power.`;
    const canRun = reason === undefined && db.mode !== "memory";
    this.#actions.replaceChildren(
      button(label, run, { class: "button primary", id: "kill", disabled: !canRun }),
      h("span", { class: "hint" }, reason ?? ""),
    );
  }

  async #killWorker(): Promise<void> {
    const { store } = this.app;
    const places = store.keyspaces.cities.count();
    const { mark, ended } = await this.#stream((cut) => {
      store.isLossExpected = true;
      store.worker?.terminate();
      cut();
    });
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, LOSS_MS))]);
    const start = performance.now();
    await store.reopen();
    await this.#judge(mark, "The worker was killed", performance.now() - start, places);
  }

  async #reloadPage(): Promise<void> {
    await this.#stream(() => location.reload(), keepForReload);
  }

  /** Streams commits until the random moment comes, or the person does not want to wait for it. */
  async #stream(
    cutOff: (cut: () => void) => void,
    onAcknowledged?: (mark: StreamMark) => void,
  ): Promise<{ mark: StreamMark; ended: Promise<unknown> }> {
    this.#isRunning = true;
    this.#outcome.replaceChildren();
    await prepareStream(this.app.store);
    const mark: StreamMark = { submitted: 0, acknowledged: 0 };
    const tell = atMostEvery(50, () => this.#tell(mark));
    const controller = new AbortController();
    const ended = runStream(this.app.store, mark, controller.signal, () => {
      onAcknowledged?.(mark);
      tell();
    });
    await new Promise<void>((resolve) => {
      setTimeout(resolve, EARLIEST_MS + Math.random() * (LATEST_MS - EARLIEST_MS));
      this.#actions.replaceChildren(
        button("Now", resolve, { class: "button danger" }),
        h("span", { class: "hint" }, "or at a random moment"),
      );
    });
    cutOff(() => controller.abort());
    return { mark, ended };
  }

  #tell({ submitted, acknowledged }: StreamMark): void {
    if (!this.#isRunning) return;
    this.#progress.textContent = `${count(submitted)} commits, ${count(acknowledged)} acknowledged`;
    this.#bar.replaceChildren(
      streamBar({ acknowledged, kept: 0, gone: submitted - acknowledged, missing: 0 }, "on their way"),
    );
  }

  async #judge(mark: StreamMark, how: string, openMs: number, places?: number): Promise<void> {
    this.#isRunning = false;
    const { store } = this.app;
    const verdict = verifyStream(store, mark);
    const { recovery } = store.db;
    const { acknowledged, found, submitted, missing } = verdict;
    const there = acknowledged - missing.length;
    this.#progress.textContent = `${how} after ${count(submitted)} commits, ${count(acknowledged)} of them acknowledged.`;
    this.#bar.replaceChildren(
      streamBar(
        {
          acknowledged: there,
          kept: Math.max(0, found - there),
          gone: Math.max(0, submitted - found),
          missing: missing.length,
        },
        "gone",
      ),
    );
    const now = store.keyspaces.cities.count();
    this.#outcome.replaceChildren(
      h("h2", { class: isGood(verdict) ? "good" : "bad" }, sentence(verdict)),
      facts([
        ["Opened again in", millis(openMs)],
        ["Frames replayed", count(recovery.framesReplayed)],
        ["Snapshot", recovery.snapshot ? plural(recovery.snapshotEntries, "entry", "entries") : "none yet"],
        ["Torn tail cut off", recovery.bytesCut > 0 ? bytes(recovery.bytesCut) : "none"],
        [
          "Places",
          places === undefined || places === now ? `${count(now)}, all there` : `${count(now)} of ${count(places)}`,
        ],
      ]),
    );
    this.#earlier.prepend(
      h(
        "li",
        {},
        `${count(acknowledged)} acknowledged, ${count(there)} there; ${count(submitted - acknowledged)} not acknowledged, ${count(Math.max(0, found - there))} of them there`,
      ),
    );
    this.#offer();
  }
}

const WORKER = "The worker that writes to OPFS is terminated while commits are on their way to it.";
const RELOAD =
  "On IndexedDB the browser itself writes, and there is no worker of ours to kill. So the page goes instead: it reloads itself while commits are on their way, and checks afterwards.";
const MEMORY = "Memory survives nothing, so there is nothing to recover. Choose another storage to try this.";

function isGood({ missing, beyondGap, whole }: Verdict): boolean {
  return missing.length === 0 && beyondGap.length === 0 && whole;
}

function sentence(verdict: Verdict): string {
  const { acknowledged, missing, beyondGap, whole } = verdict;
  if (isGood(verdict)) return `Every acknowledged commit is there, all ${count(acknowledged)}.`;
  if (missing.length > 0)
    return `${plural(missing.length, "acknowledged commit")} missing, the first is number ${count(missing[0]!)}.`;
  if (beyondGap.length > 0) return `Entry ${count(beyondGap[0]!)} is there though one before it is not.`;
  return whole ? "" : "The last commit is there by half.";
}
