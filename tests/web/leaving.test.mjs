/** Pages that are left in the middle of commits and snapshots: by navigation, reload and closing. No event of leaving is a commit point. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { pause, storages, test, useBrowser } from "./fixture.mjs";

const site = useBrowser();
const ROUNDS = 3;

const WAYS = {
  "navigates away": (page) => page.goto("about:blank"),
  "goes to another page of the origin": (page) => page.goto(new URL("/blank.html", page.url()).href),
  reloads: (page) => page.reload(),
  "is closed": (page) => page.close(),
};

/** Commits without end, one snapshot after the other, and says out here what is acknowledged. */
const begin = (page, storage) =>
  page.evaluate(async (storage) => {
    kept.db = await selkie.open("db", { storage, tabs: "wait", snapshots: { logBytes: 50_000 } });
    const acknowledged = (number) => globalThis.report(number);
    globalThis.running = outcome(() => workload.commitForEver(kept.db, { inFlight: 12, acknowledged }));
  }, storage);

const look = (page, storage) =>
  page.evaluate(async (storage) => {
    const db = await selkie.open("db", { storage, tabs: "wait" });
    const view = db.snapshotView();
    const count = workload.check(view, view.keyspace(workload.mirrorOf(db)));
    view.close();
    await db.close();
    return count;
  }, storage);

for (const storage of storages) {
  describe(`leaving over ${storage}`, () => {
    for (const [how, leave] of Object.entries(WAYS)) {
      test(`a tab ${how} while it commits`, async () => {
        const origin = site.newOrigin();
        const observer = await site.open(origin);
        for (let round = 0; round < ROUNDS; round++) {
          const victim = await site.open(origin);
          let acknowledged = 0;
          await victim.exposeFunction("report", (number) => (acknowledged = Math.max(acknowledged, number)));
          await begin(victim, storage);
          await pause(40 + 90 * round);
          await leave(victim);
          const promised = acknowledged;
          const count = await look(observer, storage);
          assert.ok(promised > 0 && count >= promised, `${promised} acknowledged, ${count} left`);
          if (!victim.isClosed()) await victim.close();
        }
      });
    }

    test("a tab that is left comes back to what it was", async () => {
      const page = await site.open();
      await page.evaluate(async (storage) => {
        kept.db = await selkie.open("db", { storage });
        await kept.db.set("key", 1);
      }, storage);
      await page.goto("about:blank");
      await page.goBack();
      await page.waitForFunction(() => globalThis.selkie !== undefined);
      const value = await page.evaluate(async (storage) => {
        // From the back-forward cache the page comes as it was left, with its handle.
        kept.db ??= await selkie.open("db", { storage, tabs: "wait" });
        await kept.db.set("again", kept.db.get("key") + 1);
        return kept.db.get("again");
      }, storage);
      assert.equal(value, 2);
    });
  });
}
