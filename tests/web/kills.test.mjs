/**
 * Workers, tabs and whole browsers are killed at random moments, again and again.
 *
 * What was acknowledged is reported out of the victim before it dies. Afterwards the database must open and be exactly what it
 * was after some commit that is not older than the last acknowledged one. SELKIE_WEB_KILLS sets how often in each browser, for each storage;
 * SELKIE_WEB_SEED repeats the moments of a run.
 */

import assert from "node:assert/strict";
import { after, describe } from "node:test";
import { browserName, inChromium, pause, storages, test, useBrowser } from "./fixture.mjs";
import { Random } from "./pages/random.js";

/** Firefox starts slowly, and Chromium's are enough kills for a run that everybody waits for. */
const kills = Number(process.env.SELKIE_WEB_KILLS ?? (inChromium ? 50 : 12));
const seed = Number(process.env.SELKIE_WEB_SEED ?? Date.now() % 1_000_000);
const random = new Random(seed);
const site = useBrowser();
const total = { kills: 0, acknowledged: 0, early: 0, cut: 0 };

const DURABILITIES = ["immediate", "buffered", { intervalMs: 20, commits: 100 }];
/** A database is given up for a new one after so many kills, so that small and large ones are killed. */
const KILLS_PER_DATABASE = 8;

const part = (/** @type {number} */ share) => Math.max(1, Math.round(kills * share));

/** What one victim does: which durability, how soon it dies, and whether snapshots are written meanwhile. */
function plan(storage) {
  const early = random.below(5) === 0;
  return {
    options: { storage, durability: DURABILITIES[random.below(3)], snapshots: { logBytes: 100_000 }, tabs: "wait", history: random.below(2) ? { versions: 3 } : false },
    write: { inFlight: 1 + random.below(20), snapshots: random.below(3) > 0 },
    early,
    delayMs: random.below(early ? 40 : 250),
  };
}

/** The name of the database that the next kill concerns. */
function* names(prefix) {
  for (let index = 0; ; index++) yield `${prefix} ${Math.floor(index / KILLS_PER_DATABASE)}`;
}

function note(found, acknowledged, context) {
  total.kills += 1;
  if (acknowledged === 0) total.early += 1;
  total.acknowledged += acknowledged;
  if (found.cut > 0) total.cut += 1;
  assert.ok(found.count >= acknowledged, `${acknowledged} was acknowledged, ${found.count} is left (${context}, seed ${seed})`);
}

/** Opens the database in a tab, and checks that it is what it was after one of the commits. */
const look = (page, name, storage) =>
  page.evaluate(
    async ([name, storage]) => {
      const db = await selkie.open(name, { storage, tabs: "wait" });
      const mirror = workload.mirrorOf(db);
      const view = db.snapshotView();
      const count = workload.check(view, view.keyspace(mirror));
      view.close();
      const cut = db.recovery.bytesCut;
      await db.close();
      return { count, cut };
    },
    [name, storage],
  );

/** Kills a worker that the whole application lives in, and looks at once. */
const killApplication = (page, name, plan) =>
  page.evaluate(
    async ([name, { options, write, early, delayMs }]) => {
      const worker = new Worker("/writer.js", { type: "module" });
      let acknowledged = 0;
      let failure;
      const opened = new Promise((resolve) => {
        worker.onmessage = ({ data }) => {
          if (data.opened !== undefined) resolve(undefined);
          if (data.acknowledged) acknowledged = Math.max(acknowledged, data.acknowledged);
          if (data.error) resolve((failure = data.error));
        };
      });
      worker.postMessage({ name, options, write });
      if (!early) await opened;
      await pause(delayMs);
      worker.terminate();
      return { acknowledged, failure };
    },
    [name, plan],
  );

/** Kills the worker that writes to OPFS, under an application that goes on and has to notice. */
const killLogWorker = (page, name, plan) =>
  page.evaluate(
    async ([name, { options, write, delayMs }]) => {
      let worker;
      let lost;
      const db = await selkie.open(name, {
        ...options,
        worker: () => (worker = new Worker("/pkg/dist/worker.js", { type: "module" })),
        onLost: (error) => (lost = plainError(error)),
      });
      let acknowledged = 0;
      const ending = outcome(() => workload.commitForEver(db, { ...write, acknowledged: (number) => (acknowledged = Math.max(acknowledged, number)) }));
      await pause(delayMs);
      worker.terminate();
      const { error } = await ending;
      const next = await outcome(() => db.set("after", 1));
      await outcome(() => db.close());
      return { acknowledged, lost, error, next: next.error };
    },
    [name, plan],
  );

/** Lets a tab commit for ever and says out here what is acknowledged. */
async function commitInTab(page, name, plan) {
  const reported = { acknowledged: 0, opened: false };
  await page.exposeFunction("report", (report) => Object.assign(reported, report));
  await page.evaluate(
    async ([name, { options, write }]) => {
      let newest = 0;
      let isReporting = false;
      const acknowledged = async (number) => {
        newest = Math.max(newest, number);
        if (isReporting) return;
        isReporting = true;
        while (newest > 0) {
          const acknowledged = newest;
          await globalThis.report({ acknowledged });
          if (newest === acknowledged) break;
        }
        isReporting = false;
      };
      const run = async () => {
        const db = await selkie.open(name, options);
        await globalThis.report({ opened: true });
        await workload.commitForEver(db, { ...write, acknowledged });
      };
      globalThis.running = outcome(run).then(({ error }) => globalThis.report({ error }));
    },
    [name, plan],
  );
  const end = Date.now() + 20_000;
  while (!plan.early && !reported.opened && !reported.error && Date.now() < end) await pause(2);
  await pause(plan.delayMs);
  assert.equal(reported.error, undefined, JSON.stringify(reported.error));
  return reported;
}

after(() => {
  const { kills, acknowledged, early, cut } = total;
  console.log(`${browserName}: ${kills} kills, ${acknowledged} commits acknowledged before them, ${early} kills before the first, ${cut} torn tails cut (seed ${seed})`);
  console.log(`counted: ${kills} kills in browsers`);
});

for (const storage of storages) {
  describe(`kills over ${storage}`, () => {
    test("a worker with the whole application is killed", async () => {
      const page = await site.open();
      const name = names("application");
      for (let kill = 0; kill < part(storage === "opfs" ? 0.4 : 0.6); kill++) {
        const [current, next] = [name.next().value, plan(storage)];
        const { acknowledged, failure } = await killApplication(page, current, next);
        assert.equal(failure, undefined, JSON.stringify(failure));
        note(await look(page, current, storage), acknowledged, "application");
      }
    });

    if (storage === "opfs") {
      test("the worker that writes the log is killed under the page", async () => {
        const page = await site.open();
        const name = names("log worker");
        for (let kill = 0; kill < part(0.2); kill++) {
          const [current, next] = [name.next().value, plan(storage)];
          const { acknowledged, lost, error, next: later } = await killLogWorker(page, current, next);
          assert.ok(lost, `nobody heard that the worker died (seed ${seed})`);
          assert.ok(error, "commits in flight fail");
          assert.equal(later?.code, "LOST", JSON.stringify(later));
          note(await look(page, current, storage), acknowledged, "log worker");
        }
      });
    }

    test("a tab is killed", async () => {
      const origin = site.newOrigin();
      const name = names("tab");
      for (let kill = 0; kill < part(0.3); kill++) {
        const [current, next] = [name.next().value, plan(storage)];
        const victim = await site.open(origin);
        const reported = await commitInTab(victim, current, next);
        await site.browser.crash(victim);
        const page = await site.open(origin);
        note(await look(page, current, storage), reported.acknowledged, "tab");
        await page.close();
      }
    });

    test("the whole browser is killed", async () => {
      const origin = site.newOrigin();
      const name = names("browser");
      for (let kill = 0; kill < part(0.1); kill++) {
        const [current, next] = [name.next().value, plan(storage)];
        const victim = await site.open(origin);
        const reported = await commitInTab(victim, current, next);
        await site.browser.kill();
        await site.launch();
        const page = await site.open(origin);
        note(await look(page, current, storage), reported.acknowledged, "browser");
        await page.close();
      }
    });
  });
}
