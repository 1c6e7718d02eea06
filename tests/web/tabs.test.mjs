/** One writer and many tabs: who gets a database, and what happens to the others. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { pause, storages, test, useBrowser } from "./fixture.mjs";

const site = useBrowser();

/** Opens in a tab and keeps the database there under its name. */
const open = (page, name, options) =>
  page.evaluate(
    async ([name, options]) => {
      const { value, error } = await outcome(() => selkie.open(name, options));
      if (value) kept[name] = value;
      return { mode: value?.mode, error };
    },
    [name, options],
  );

/** Begins to open, and goes on without waiting for it. */
const beginToOpen = (page, name, options) =>
  page.evaluate(
    ([name, options]) => {
      globalThis.abortion = new AbortController();
      globalThis.opening = outcome(async () => {
        kept[name] = await selkie.open(name, { ...options, signal: abortion.signal });
      });
      globalThis.isOpen = false;
      opening.then(({ error }) => (globalThis.isOpen = error === undefined));
    },
    [name, options],
  );

/** The error of the opening that was begun, if it failed. */
const opened = (page) => page.evaluate(async () => (await opening).error);
const isOpen = (page) => page.evaluate(() => isOpen);
const close = (page, name) => page.evaluate((name) => kept[name].close(), name);
const set = (page, name, key, value) => page.evaluate(([name, key, value]) => kept[name].set(key, value), [name, key, value]);
const get = (page, name, key) => page.evaluate(([name, key]) => kept[name].get(key), [name, key]);

for (const storage of storages) {
  describe(`tabs over ${storage}`, () => {
    test("of tabs that open at the same moment one wins, and the others hear LOCKED", async () => {
      const tabs = await site.openTabs(3);
      for (let round = 0; round < 8; round++) {
        const name = round % 2 ? "again" : `new ${round}`;
        const at = Date.now() + 60;
        const outcomes = await Promise.all(
          tabs.map((page) =>
            page.evaluate(
              async ([name, storage, at]) => {
                await pause(at - Date.now());
                const { value, error } = await outcome(() => selkie.open(name, { storage }));
                if (value) kept.winner = value;
                return error ?? "open";
              },
              [name, storage, at],
            ),
          ),
        );
        const winners = tabs.filter((_, index) => outcomes[index] === "open");
        assert.equal(winners.length, 1, JSON.stringify(outcomes));
        assert.deepEqual(outcomes.map((outcome) => outcome.code).filter(Boolean), ["LOCKED", "LOCKED"]);
        await winners[0].evaluate(() => kept.winner.close());
      }
    });

    test("two opens in one tab are no different", async () => {
      const [page] = await site.openTabs(1);
      const outcomes = await page.evaluate(async (storage) => {
        const both = await Promise.all([1, 2].map(() => outcome(() => selkie.open("twice", { storage }))));
        for (const { value } of both) await value?.close();
        const last = await selkie.open("twice", { storage });
        await last.close();
        return both.map(({ error }) => error?.code ?? "open").sort();
      }, storage);
      assert.deepEqual(outcomes, ["LOCKED", "open"]);
    });

    test("who waits gets it when the one before closes, in turn, with what was written", async () => {
      const [first, second, third] = await site.openTabs(3);
      assert.equal((await open(first, "db", { storage })).mode, storage);
      await beginToOpen(second, "db", { storage, tabs: "wait" });
      await pause(50);
      await beginToOpen(third, "db", { storage, tabs: "wait" });
      await set(first, "db", "who", "first");
      await pause(150);
      assert.deepEqual([await isOpen(second), await isOpen(third)], [false, false]);
      await close(first, "db");
      assert.equal(await opened(second), undefined);
      assert.equal(await get(second, "db", "who"), "first");
      await set(second, "db", "who", "second");
      await pause(100);
      assert.equal(await isOpen(third), false);
      await close(second, "db");
      assert.equal(await opened(third), undefined);
      assert.equal(await get(third, "db", "who"), "second");
    });

    for (const [how, end] of [
      ["is closed", (page) => page.close()],
      ["goes elsewhere", (page) => page.goto("about:blank")],
      ["crashes", (page) => site.browser.crash(page)],
    ]) {
      test(`who waits gets it when the other tab ${how}`, async (t) => {
        if (how === "crashes" && site.browser.name === "firefox") return t.skip("Firefox's tabs can only be crashed all at once");
        const [first, second] = await site.openTabs(2);
        await open(first, "db", { storage });
        await set(first, "db", "key", 1);
        await beginToOpen(second, "db", { storage, tabs: "wait" });
        await pause(50);
        assert.equal(await isOpen(second), false);
        await end(first);
        assert.equal(await opened(second), undefined);
        assert.equal(await get(second, "db", "key"), 1);
      });
    }

    test("a signal ends waiting, and leaves no claim behind", async () => {
      const [first, second, third] = await site.openTabs(3);
      await open(first, "db", { storage });
      await beginToOpen(second, "db", { storage, tabs: "wait" });
      await pause(50);
      await second.evaluate(() => abortion.abort());
      assert.equal((await opened(second))?.code, "ABORTED");
      await close(first, "db");
      assert.equal((await open(third, "db", { storage })).mode, storage);
      const already = await second.evaluate(
        (storage) => outcome(() => selkie.open("other", { storage, tabs: "wait", signal: AbortSignal.abort() })),
        storage,
      );
      assert.equal(already.error.code, "ABORTED");
    });

    test("a signal ends waiting that has only just begun", async () => {
      const [first, second] = await site.openTabs(2);
      await open(first, "db", { storage });
      const error = await second.evaluate(async (storage) => {
        const abortion = new AbortController();
        const { request } = LockManager.prototype;
        LockManager.prototype.request = function (name, ...given) {
          if (name === "selkie:db") queueMicrotask(() => abortion.abort());
          return request.call(this, name, ...given);
        };
        return (await outcome(() => selkie.open("db", { storage, tabs: "wait", signal: abortion.signal }))).error;
      }, storage);
      assert.equal(error?.code, "ABORTED");
      await close(first, "db");
      assert.equal((await open(second, "db", { storage })).mode, storage);
    });

    test("a signal at any moment of opening ends it or not, and nothing stays locked", async () => {
      const [page] = await site.openTabs(1);
      const { endings, code } = await page.evaluate(async (storage) => {
        const endings = [];
        for (let delayMs = 0; delayMs < 24; delayMs += 2) {
          const abortion = new AbortController();
          setTimeout(() => abortion.abort(), delayMs);
          const { value, error } = await outcome(() => selkie.open("db", { storage, signal: abortion.signal }));
          endings.push(error?.code ?? "open");
          await value?.close();
        }
        const last = await outcome(async () => {
          const db = await selkie.open("db", { storage });
          await db.set("key", 1);
          await db.close();
        });
        return { endings, code: last.error?.code };
      }, storage);
      assert.equal(code, undefined, endings.join());
      assert.deepEqual(endings.filter((ending) => !["ABORTED", "open"].includes(ending)), []);
      assert.ok(endings.includes("ABORTED"), endings.join());
    });

    test("a writer that is closed in the middle of a load leaves whole batches, and all that it acknowledged", async () => {
      for (const how of ["close", "tab"]) {
        const [first, second] = await site.openTabs(2);
        const acknowledged = [];
        await first.exposeFunction("acknowledged", (batch) => void acknowledged.push(batch));
        await open(first, "db", { storage });
        await first.evaluate(() => {
          globalThis.load = Promise.all(
            Array.from({ length: 300 }, (_, batch) => {
              const operations = Array.from({ length: 100 }, (_, index) => ({ type: "set", key: `${batch}/${index}`, value: { batch, text: "x".repeat(80) } }));
              return outcome(() => kept.db.batch(operations)).then(({ error }) => (error ? error.code : globalThis.acknowledged(batch)));
            }),
          );
        });
        await beginToOpen(second, "db", { storage, tabs: "wait" });
        if (how === "close") {
          await close(first, "db");
          assert.deepEqual(await first.evaluate(async () => (await load).filter(Boolean)), [], "closing drains what was begun");
        } else {
          while (acknowledged.length === 0) await pause(1);
          await first.close();
        }
        const promised = acknowledged.slice();
        assert.equal(await opened(second), undefined);
        const sizes = await second.evaluate(() => {
          const sizes = {};
          for (const key of kept.db.keys()) sizes[key.split("/")[0]] = (sizes[key.split("/")[0]] ?? 0) + 1;
          return sizes;
        });
        assert.deepEqual(Object.values(sizes).filter((size) => size !== 100), []);
        assert.deepEqual(Object.keys(sizes).map(Number).sort((a, b) => a - b), [...Array(Object.keys(sizes).length).keys()], "a prefix of the order");
        assert.deepEqual(promised.filter((batch) => !sizes[batch]), []);
        if (how === "close") assert.equal(Object.keys(sizes).length, 300);
        await close(second, "db");
      }
    });

    test("the same name on another storage of the origin has the same lock", async () => {
      const [first, second] = await site.openTabs(2);
      await open(first, "db", { storage });
      const other = storages.find((candidate) => candidate !== storage);
      assert.equal((await open(second, "db", { storage: other })).error?.code, "LOCKED");
    });
  });
}
