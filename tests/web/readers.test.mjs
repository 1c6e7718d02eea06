/** Read-only tabs beside a writer: what they see is a whole number of durable commits, and soon the newest. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { chromiumOnly, pause, storages, test, useBrowser } from "./fixture.mjs";

const site = useBrowser();
const SOON_MS = 5_000;

const openWriter = (page, options) =>
  page.evaluate(async (options) => {
    kept.db = await selkie.open("db", options);
    kept.mirror = workload.mirrorOf(kept.db);
    await kept.db.sync();
  }, options);

const openReader = (page, storage) =>
  page.evaluate(async (storage) => {
    kept.db = await selkie.open("db", { storage, tabs: "read-only" });
    kept.mirror = workload.mirrorOf(kept.db);
  }, storage);

/** Commits the next ones in a row and returns the number of the last. */
const commitMany = (page, count, options) =>
  page.evaluate(
    async ([count, options]) => {
      let number = kept.db.get("count") ?? 0;
      const last = number + count;
      const commits = [];
      while (number < last) commits.push(workload.commit(kept.db, ++number, options));
      await Promise.all(commits);
      return last;
    },
    [count, options],
  );

/** What a reader sees, checked to be a whole number of commits. It has to come to at least `count` by itself. */
const arriveAt = (page, count) =>
  page.evaluate(
    async ([count, limitMs]) => {
      const look = () => {
        const view = kept.db.snapshotView();
        const seen = workload.check(view, view.keyspace(kept.mirror));
        view.close();
        return seen;
      };
      const end = Date.now() + limitMs;
      let seen = look();
      while (seen < count && Date.now() < end) {
        await pause(2);
        seen = look();
      }
      return seen;
    },
    [count, SOON_MS],
  );

for (const storage of storages) {
  describe(`readers over ${storage}`, () => {
    test("two readers follow a writer by themselves, and see whole commits only", async () => {
      const [writer, ...readers] = await site.openTabs(3);
      await openWriter(writer, { storage });
      const first = await commitMany(writer, 50);
      for (const reader of readers) {
        await openReader(reader, storage);
        assert.equal(await arriveAt(reader, first), first);
      }
      for (let round = 0; round < 10; round++) {
        const last = await commitMany(writer, 1 + round * 10);
        assert.deepEqual(await Promise.all(readers.map((reader) => arriveAt(reader, last))), [last, last]);
      }
    });

    test("a reader that looks all the time while the writer commits and writes snapshots never sees half of anything", async () => {
      const [writer, reader] = await site.openTabs(2);
      await openWriter(writer, { storage, snapshots: { logBytes: 64 << 10 } });
      await commitMany(writer, 10);
      await openReader(reader, storage);
      await writer.evaluate(() => {
        globalThis.acknowledged = 0;
        globalThis.ending = outcome(() => workload.commitForEver(kept.db, { acknowledged: (number) => (globalThis.acknowledged = number) }));
      });
      const seen = await reader.evaluate(async () => {
        const seen = [];
        const end = Date.now() + 2_500;
        while (Date.now() < end) {
          await kept.db.refresh();
          const view = kept.db.snapshotView();
          seen.push(workload.check(view, view.keyspace(kept.mirror)));
          view.close();
          await pause(3);
        }
        return seen;
      });
      assert.deepEqual(seen, seen.slice().sort((a, b) => a - b), "it never goes back");
      assert.ok(new Set(seen).size > 10, `it saw only ${new Set(seen).size} states`);
      const { error } = await writer.evaluate(async () => {
        await kept.db.close();
        return ending;
      });
      assert.equal(error.code, "CLOSED");
      const last = await writer.evaluate(() => acknowledged);
      assert.ok((await arriveAt(reader, last)) >= last);
    });

    test("a reader opens and reads while the writer commits, again and again", async () => {
      const [writer, reader] = await site.openTabs(2);
      await openWriter(writer, { storage, snapshots: { logBytes: 32 << 10 } });
      await writer.evaluate(() => {
        globalThis.ending = outcome(() => workload.commitForEver(kept.db, { acknowledged: () => {} }));
      });
      const counts = await reader.evaluate(async (storage) => {
        const counts = [];
        for (let round = 0; round < 25; round++) {
          const db = await selkie.open("db", { storage, tabs: "read-only" });
          const mirror = workload.mirrorOf(db);
          const view = db.snapshotView();
          counts.push(workload.check(view, view.keyspace(mirror)));
          view.close();
          await db.close();
        }
        return counts;
      }, storage);
      assert.deepEqual(counts, counts.slice().sort((a, b) => a - b));
      await writer.evaluate(() => kept.db.close());
    });

    test("what a reader saw is there after the writer's tab crashed, and a reader stays one", async (t) => {
      if (site.browser.name === "firefox") return t.skip("Firefox's tabs can only be crashed all at once");
      for (const durability of ["immediate", "buffered"]) {
        const [writer, reader, next] = await site.openTabs(3);
        await openWriter(writer, { storage, durability });
        await openReader(reader, storage);
        await writer.evaluate(() => {
          outcome(() => workload.commitForEver(kept.db, { acknowledged: () => {} }));
        });
        const seen = await arriveAt(reader, 100);
        await site.browser.crash(writer);
        await openWriter(next, { storage, tabs: "wait" });
        const recovered = await arriveAt(next, seen);
        assert.ok(recovered >= Math.max(seen, 100), `recovered ${recovered}, a reader saw ${seen}`);
        const last = await commitMany(next, 20);
        assert.equal(await arriveAt(reader, last), last, "it follows the next writer");
      }
    });

    test("a reader refuses to write, and leaves the database to others", async () => {
      const [writer, reader] = await site.openTabs(2);
      await openWriter(writer, { storage });
      await commitMany(writer, 5);
      await writer.evaluate(() => kept.db.close());
      await openReader(reader, storage);
      const attempts = await reader.evaluate(async () => {
        const { db } = kept;
        const attempts = [
          () => db.set("key", 1),
          () => db.delete("count"),
          () => db.batch([{ type: "set", key: "key", value: 1 }]),
          () => db.update((tx) => tx.set("key", 1)),
          () => db.keyspace("new keyspace").set("key", 1),
          () => db.checkpoint(),
        ];
        const codes = [];
        for (const attempt of attempts) codes.push((await outcome(attempt)).error?.code);
        return [codes, db.readOnly, db.has("key"), db.get("count")];
      });
      assert.deepEqual(attempts, [["READ_ONLY", "READ_ONLY", "READ_ONLY", "READ_ONLY", "KEYSPACE_NOT_FOUND", "READ_ONLY"], true, false, 5]);
      await openWriter(writer, { storage });
      const last = await commitMany(writer, 5);
      assert.equal(await arriveAt(reader, last), 10);
    });

    test("a reader of what does not exist creates nothing", async () => {
      const [page] = await site.openTabs(1);
      const { error, databases } = await page.evaluate(async (storage) => {
        const { error } = await outcome(() => selkie.open("nothing", { storage, tabs: "read-only" }));
        return { error, databases: await selkie.databases() };
      }, storage);
      assert.equal(error?.code, "NOT_FOUND");
      assert.deepEqual(databases, []);
    });

    test("a watch in a reader's tab hears what another tab commits", async () => {
      const [writer, reader] = await site.openTabs(2);
      await openWriter(writer, { storage });
      await commitMany(writer, 3);
      await openReader(reader, storage);
      await reader.evaluate(() => {
        globalThis.heard = [];
        kept.db.watch({ gte: "count", lte: "count" }, (changes) => heard.push(...changes.map(({ value }) => value)));
      });
      const last = await commitMany(writer, 30);
      await arriveAt(reader, last);
      await pause(50);
      assert.deepEqual(await reader.evaluate(() => heard), Array.from({ length: 30 }, (_, index) => index + 4));
    });

    test("a reader opens beside a writer that the browser has frozen", chromiumOnly, async () => {
      const [writer, reader] = await site.openTabs(2);
      await openWriter(writer, { storage });
      const last = await commitMany(writer, 20);
      const devtools = await site.browser.devtools(writer);
      await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
      await openReader(reader, storage);
      assert.equal(await arriveAt(reader, last), last);
      await devtools.send("Page.setWebLifecycleState", { state: "active" });
      const next = await commitMany(writer, 5);
      assert.equal(await arriveAt(reader, next), next);
    });

    test("a reader of a database that is destroyed and made anew never mixes the two", async () => {
      const [writer, reader] = await site.openTabs(2);
      await openWriter(writer, { storage });
      const first = await commitMany(writer, 200);
      await openReader(reader, storage);
      await arriveAt(reader, first);
      await writer.evaluate(async (storage) => {
        await kept.db.close();
        await selkie.destroy("db", { storage });
      }, storage);
      await openWriter(writer, { storage });
      await commitMany(writer, 7);
      const { value, error } = await reader.evaluate(() =>
        outcome(async () => {
          await kept.db.refresh();
          const view = kept.db.snapshotView();
          return workload.check(view, view.keyspace(kept.mirror));
        }),
      );
      assert.ok(value === 7 || value === 200 || ["LOST", "NOT_FOUND"].includes(error?.code), JSON.stringify({ value, error }));
      if (value !== 7) {
        await openReader(reader, storage);
        assert.equal(await arriveAt(reader, 7), 7);
      }
    });

    test("a view that a reader holds does not change while the writer goes on", async () => {
      const [writer, reader] = await site.openTabs(2);
      await openWriter(writer, { storage, snapshots: { logBytes: 32 << 10 } });
      await commitMany(writer, 200);
      await openReader(reader, storage);
      await arriveAt(reader, 200);
      await reader.evaluate(() => (kept.view = kept.db.snapshotView()));
      const last = await commitMany(writer, 400);
      await writer.evaluate(() => kept.db.checkpoint());
      await arriveAt(reader, last);
      assert.equal(await reader.evaluate(() => workload.check(kept.view, kept.view.keyspace(kept.mirror))), 200);
    });
  });
}

describe("durable for readers", () => {
  const slow = (/** @type {string} */ kind) => `() => new Worker("/slow-worker.js#${kind}", { type: "module" })`;

  const openWith = (page, kind) =>
    page.evaluate(async (worker) => {
      kept.db = await selkie.open("db", { storage: "opfs", worker: eval(worker) });
      workload.mirrorOf(kept.db);
      await kept.db.sync();
    }, slow(kind));

  test("what is written and not yet flushed is not seen in another tab", async () => {
    const [writer, reader] = await site.openTabs(2);
    await openWith(writer, "slow-flush");
    await openReader(reader, "opfs");
    for (let round = 1; round <= 4; round++) {
      await writer.evaluate((number) => {
        globalThis.commit = workload.commit(kept.db, number);
      }, round);
      await pause(120);
      const during = await reader.evaluate(async () => {
        await kept.db.refresh();
        return kept.db.get("count") ?? 0;
      });
      const writerSays = await writer.evaluate(() => kept.db.get("count"));
      assert.deepEqual([during, writerSays], [round - 1, round]);
      await writer.evaluate(() => commit);
      assert.equal(await arriveAt(reader, round), round);
    }
  });

  test("what a failed flush leaves is never shown to a reader, and the writer hears of it", async () => {
    const [writer, reader, third] = await site.openTabs(3);
    await openWith(writer, "failing-flush");
    await openReader(reader, "opfs");
    const first = await commitMany(writer, 3);
    await arriveAt(reader, first);
    const outcomes = await writer.evaluate(async () => {
      new BroadcastChannel("flush").postMessage("fail");
      await pause(100);
      const commits = [4, 5].map((number) => outcome(() => workload.commit(kept.db, number)));
      const settled = await Promise.all(commits);
      const later = await outcome(() => kept.db.set("later", 1));
      return [...settled.map(({ error }) => error?.code), later.error?.code];
    });
    assert.ok(["DURABILITY_UNKNOWN", "IO"].includes(outcomes[0]), outcomes.join());
    assert.equal(outcomes[2], "POISONED");
    await pause(200);
    const seen = await reader.evaluate(async () => {
      await kept.db.refresh();
      return kept.db.get("count");
    });
    assert.equal(seen, 3);
    await openReader(third, "opfs");
    assert.equal(await arriveAt(third, 3), 3, "a tab that opens now sees no more either");
  });
});
