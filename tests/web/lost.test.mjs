/** A database that becomes unusable under a page: its worker dies, or the origin's storage is cleared. It says LOST, and opens again. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { chromiumOnly, codes, pause, storages, test, useBrowser } from "./fixture.mjs";

const site = useBrowser({ headers: (path) => (path === "/blank.html?clear" ? { "clear-site-data": '"storage"' } : {}) });
const NOTICED_MS = 5_000;

/** A database with a worker that the page can reach, a listener to its loss, and something in it. */
const open = (page, storage) =>
  page.evaluate(async (storage) => {
    globalThis.losses = [];
    kept.db = await selkie.open("db", {
      storage,
      worker: () => (globalThis.logWorker = new Worker("/pkg/dist/worker.js", { type: "module" })),
      onLost: (error) => losses.push(plainError(error)),
    });
    await kept.db.set("key", "before");
  }, storage);

const losses = (page) => page.evaluate(() => losses);

/** What every kind of use says once the database is lost; reads that still answer say `answered`. */
const useAll = (page) =>
  page.evaluate(async () => {
    const { db } = kept;
    const uses = {
      set: () => db.set("key", "after"),
      delete: () => db.delete("key"),
      batch: () => db.batch([{ type: "set", key: "key", value: 1 }]),
      update: () => db.update((tx) => tx.set("key", 1)),
      begin: () => db.begin(),
      sync: () => db.sync(),
      checkpoint: () => db.checkpoint(),
    };
    const said = {};
    for (const [name, use] of Object.entries(uses)) said[name] = (await outcome(use)).error?.code ?? "answered";
    return said;
  });

const ALL_LOST = Object.fromEntries(["set", "delete", "batch", "update", "begin", "sync", "checkpoint"].map((name) => [name, "LOST"]));

async function noticed(page) {
  const end = Date.now() + NOTICED_MS;
  while ((await losses(page)).length === 0 && Date.now() < end) await pause(20);
  await pause(100);
  const all = await losses(page);
  assert.equal(all.length, 1, `the loss is told once: ${JSON.stringify(all)}`);
  assert.equal(all[0].code, "LOST");
}

describe("the worker dies", () => {
  test("the page that is idle hears of it, every use says LOST, and it opens again", async () => {
    const page = await site.open();
    await open(page, "opfs");
    await page.evaluate(() => logWorker.terminate());
    await noticed(page);
    assert.deepEqual(await useAll(page), ALL_LOST);
    assert.equal(await page.evaluate(() => kept.db.closed), true);
    await page.evaluate(() => kept.db.close());
    await open(page, "opfs");
    assert.equal(await page.evaluate(() => kept.db.get("key")), "before");
  });

  test("commits and snapshots under way are rejected, none hangs", async () => {
    const page = await site.open();
    await open(page, "opfs");
    const settled = await page.evaluate(async () => {
      const work = Array.from({ length: 50 }, (_, index) => kept.db.set(`key ${index}`, "x".repeat(1000)));
      work.push(kept.db.checkpoint());
      logWorker.terminate();
      work.push(kept.db.sync(), kept.db.update((tx) => tx.set("late", 1)));
      const results = await Promise.all(work.map((promise) => outcome(() => promise)));
      return results.map(({ error }) => error?.code ?? "durable");
    });
    const allowed = ["durable", "LOST", "DURABILITY_UNKNOWN", "POISONED"];
    assert.deepEqual(settled.filter((code) => !allowed.includes(code)), []);
    assert.ok(settled.some((code) => code !== "durable"), settled.join());
    await noticed(page);
    await open(page, "opfs");
    const found = await page.evaluate(() => Array.from({ length: 50 }, (_, index) => kept.db.has(`key ${index}`)));
    settled.slice(0, 50).forEach((code, index) => assert.ok(code !== "durable" || found[index], `key ${index} was durable`));
  });

  test("an error inside the worker is a loss as well", async () => {
    const page = await site.open();
    await page.evaluate(async () => {
      globalThis.losses = [];
      kept.db = await selkie.open("db", {
        storage: "opfs",
        worker: () => (globalThis.logWorker = new Worker("/fragile-worker.js", { type: "module" })),
        onLost: (error) => losses.push(plainError(error)),
      });
      await kept.db.set("key", "before");
      new BroadcastChannel("fragile").postMessage("close");
    });
    await noticed(page);
    assert.deepEqual(await useAll(page), ALL_LOST);
  });

  test("another tab that waits gets the database", async () => {
    const [page, other] = await site.openTabs(2);
    await open(page, "opfs");
    const next = other.evaluate(async () => {
      const db = await selkie.open("db", { storage: "opfs", tabs: "wait" });
      return db.get("key");
    });
    await pause(100);
    await page.evaluate(() => logWorker.terminate());
    assert.equal(await next, "before");
    await noticed(page);
  });
});

describe("the connection to IndexedDB is gone without a word", () => {
  /** Keeps the connection that transactions are begun on, to close it as if it were the browser. */
  const openWatched = (page) =>
    page.evaluate(() => {
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (...given) {
        if (this.name === "selkie:db") globalThis.connection = this;
        return transaction.apply(this, given);
      };
    });

  test("another takes its place, and nothing is lost", async () => {
    const page = await site.open();
    await openWatched(page);
    await open(page, "indexeddb");
    const found = await page.evaluate(async () => {
      connection.close();
      await kept.db.set("key", "after");
      await kept.db.close();
      const db = await selkie.open("db", { storage: "indexeddb" });
      return db.get("key");
    });
    assert.equal(found, "after");
  });

  test("if the database is gone as well, none is created in its place", async () => {
    const page = await site.open();
    await openWatched(page);
    await open(page, "indexeddb");
    const { code, databases } = await page.evaluate(async () => {
      connection.close();
      await new Promise((resolve) => (indexedDB.deleteDatabase("selkie:db").onsuccess = resolve));
      const { error } = await outcome(() => kept.db.set("key", "after"));
      return { code: error?.code, databases: await selkie.databases() };
    });
    assert.ok(["LOST", "DURABILITY_UNKNOWN", "POISONED"].includes(code), code);
    assert.deepEqual(databases, []);
    await noticed(page);
    assert.deepEqual(await useAll(page), ALL_LOST);
  });
});

describe("somebody else holds on to IndexedDB and does not answer", () => {
  test("deleting and opening end with LOCKED in time, and work once it lets go", async () => {
    const [holder, page] = await site.openTabs(2);
    await holder.evaluate(() => {
      const request = indexedDB.open("selkie:db", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("chunks");
      return new Promise((resolve) => {
        request.onsuccess = () => resolve((globalThis.held = request.result) && undefined);
      });
    });
    const ends = await page.evaluate(async () => {
      const destroying = outcome(() => selkie.destroy("db", { storage: "indexeddb" }));
      // By then the deletion waits for the other tab, and whoever opens waits for the deletion.
      await pause(1_000);
      const opening = outcome(() => selkie.open("db", { storage: "indexeddb", tabs: "read-only" }));
      return Promise.all([destroying, opening]);
    });
    for (const { error } of ends) {
      assert.equal(error?.code, "LOCKED", JSON.stringify(error));
      assert.match(error.message, /another tab has it open and does not answer/);
    }
    await holder.evaluate(() => held.close());
    const created = await page.evaluate(async () => {
      const db = await selkie.open("db", { storage: "indexeddb" });
      await db.set("key", 1);
      return db.recovery.created;
    });
    assert.equal(created, true);
  });
});

for (const storage of storages) {
  const ways = {
    "by the site itself": { clear: async (page) => (await site.open(new URL(page.url()).origin, "/blank.html?clear")).close() },
    "by the browser's settings": {
      ...chromiumOnly,
      clear: async (page) => {
        const devtools = await site.browser.devtools(page);
        await devtools.send("Storage.clearDataForOrigin", { origin: new URL(page.url()).origin, storageTypes: "all" });
      },
    },
  };
  for (const [how, { clear, ...options }] of Object.entries(ways)) {
    describe(`storage over ${storage} is cleared ${how}`, options, () => {
      test("under a page that is idle", async () => {
        const page = await site.open();
        await open(page, storage);
        await clear(page);
        await noticed(page);
        assert.deepEqual(await useAll(page), ALL_LOST);
        await page.evaluate(() => kept.db.close());
        await open(page, storage);
        await page.evaluate(async () => {
          await kept.db.set("new", "life");
          await kept.db.close();
        });
        await open(page, storage);
        assert.equal(await page.evaluate(() => kept.db.get("new")), "life");
      });

      test("under a page that commits: soon nothing is acknowledged any more", async () => {
        const page = await site.open();
        await open(page, storage);
        await page.evaluate(() => {
          globalThis.acknowledged = 0;
          // Without snapshots, because Chromium's OPFS hangs for ever if files are created while it is being cleared.
          const acknowledged = (number) => (globalThis.acknowledged = number);
          globalThis.ending = outcome(() => workload.commitForEver(kept.db, { snapshots: false, acknowledged }));
        });
        await pause(200);
        await clear(page);
        await noticed(page);
        const { error } = await page.evaluate(() => ending);
        const allowed = ["LOST", "DURABILITY_UNKNOWN", "POISONED", "IO", "NOT_FOUND"];
        assert.ok(codes(error).some((code) => allowed.includes(code)), JSON.stringify(error));
        await open(page, storage);
        assert.equal(await page.evaluate(() => kept.db.get("count")), undefined);
      });
    });
  }
}
