/** Much at once: large values, many commits that nobody awaits, long ranges, and the main thread meanwhile. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { chromiumOnly, codes, storages, test, useBrowser } from "./fixture.mjs";
import { longestTask } from "./harness/tasks.mjs";

const site = useBrowser();
const MIB = 1 << 20;

for (const storage of storages) {
  describe(`load over ${storage}`, () => {
    test("a value larger than one message, and a commit of several", async () => {
      const page = await site.open();
      const same = await page.evaluate(async (storage) => {
        const make = (size, seed) => {
          const bytes = new Uint8Array(size);
          for (let at = 0; at < size; at += 50_000) crypto.getRandomValues(bytes.subarray(at, Math.min(at + 50_000, size)));
          bytes[0] = seed;
          return bytes;
        };
        const sum = async (bytes) => [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].join();
        const values = [make(32 << 20, 1), make((16 << 20) + 1, 2), make(9_999_999, 3)];
        const sums = await Promise.all(values.map(sum));
        const options = { storage, valueEncoding: "binary", snapshots: "never" };
        const db = await selkie.open("db", options);
        await db.set("first", values[0]);
        await db.batch([{ type: "set", key: "second", value: values[1] }, { type: "set", key: "third", value: values[2] }]);
        const found = [await sum(db.get("first")), await sum(db.get("second")), await sum(db.get("third"))];
        await db.close();
        const again = await selkie.open("db", options);
        const later = [await sum(again.get("first")), await sum(again.get("second")), await sum(again.get("third"))];
        await again.checkpoint();
        await again.close();
        const last = await selkie.open("db", options);
        const fromSnapshot = await sum(last.get("first"));
        await last.close();
        return [found.join() === sums.join(), later.join() === sums.join(), fromSnapshot === sums[0]];
      }, storage);
      assert.deepEqual(same, [true, true, true]);
    });

    test("10,000 commits that nobody awaits are durable in order, and memory stays bounded", async () => {
      const page = await site.open();
      const result = await page.evaluate(async (storage) => {
        const db = await selkie.open("db", { storage });
        await db.set("warm", "up");
        const before = db.stats().wasmMemoryBytes;
        const order = [];
        const commits = [];
        let queued = 0;
        for (let number = 0; number < 10_000; number++) {
          commits.push(db.set(`key ${number % 100}`, { number, text: "x".repeat(200) }).then(({ version }) => order.push(version)));
          if (number % 100 === 0) queued = Math.max(queued, db.stats().queuedBytes);
        }
        await Promise.all(commits);
        const stats = db.stats();
        await db.close();
        const again = await selkie.open("db", { storage });
        const last = again.range({ gte: "key ", lt: "key!" }).all().map(([, { number }]) => number);
        await again.close();
        return { inOrder: order.every((version, index) => index === 0 || version > order[index - 1]), count: order.length, grown: stats.wasmMemoryBytes - before, queued, left: stats.queuedBytes, writes: stats.logWrites, smallest: Math.min(...last), keys: last.length };
      }, storage);
      assert.ok(result.inOrder);
      assert.deepEqual([result.count, result.keys, result.smallest, result.left], [10_000, 100, 9_900, 0]);
      assert.ok(result.grown <= 16 * MIB, `memory grew by ${result.grown} bytes; up to ${result.queued} were queued`);
      assert.ok(result.writes < 2_000, `groups form: ${result.writes} writes`);
    });

    test("a writer that outruns the storage by far is held up or refused, and does not fill memory", async () => {
      const page = await site.open();
      const result = await page.evaluate(async (storage) => {
        const db = await selkie.open("db", { storage, valueEncoding: "binary", limits: { queueBytes: 8 << 20 }, snapshots: "never" });
        await db.set("warm", new Uint8Array(1));
        const before = db.stats().wasmMemoryBytes;
        const outcomes = [];
        for (let number = 0; number < 300; number++) {
          outcomes.push(outcome(() => db.set("key", new Uint8Array(1 << 20).fill(number))));
        }
        const peak = db.stats().wasmMemoryBytes - before;
        const settled = await Promise.all(outcomes);
        const last = db.get("key")[0];
        await db.set("key", new Uint8Array([77]));
        await db.close();
        const again = await selkie.open("db", { storage, valueEncoding: "binary" });
        const found = again.get("key")[0];
        await again.close();
        return { peak, errors: settled.map(({ error }) => error).filter(Boolean), refused: settled.filter(({ error }) => error).length, last, found };
      }, storage);
      assert.deepEqual(result.errors.filter((error) => !codes(error).includes("LIMIT")), []);
      assert.ok(result.peak < 128 * MIB, `memory grew by ${result.peak} bytes, ${result.refused} were refused`);
      assert.equal(result.found, 77);
    });

    test("memory grows while a range is read, and every entry is right", async () => {
      const page = await site.open();
      const result = await page.evaluate(async (storage) => {
        const db = await selkie.open("db", { storage, durability: "buffered", snapshots: "never" });
        const key = (number) => `key ${String(number).padStart(6, "0")}`;
        for (let start = 0; start < 20_000; start += 1000) {
          await db.batch(Array.from({ length: 1000 }, (_, index) => ({ type: "set", key: key(start + index), value: start + index })));
        }
        const before = db.stats().wasmMemoryBytes;
        let number = 0;
        let wrong = 0;
        const writes = [];
        for (const [found, value] of db.range({ gte: "key", lt: "kez" })) {
          if (found !== key(number) || value !== number) wrong += 1;
          if (number % 1000 === 500) writes.push(db.set(`large ${number}`, "x".repeat(400_000)), db.set(key(number + 1), "changed"));
          number += 1;
        }
        await Promise.all(writes);
        const after = db.stats().wasmMemoryBytes;
        const changed = db.get(key(501));
        await db.close();
        return { number, wrong, grew: after > before, changed };
      }, storage);
      assert.deepEqual(result, { number: 20_000, wrong: 0, grew: true, changed: "changed" });
    });

    test("an exception inside update leaves no trace, and the next update works", async () => {
      const page = await site.open();
      const result = await page.evaluate(async (storage) => {
        const db = await selkie.open("db", { storage });
        await db.set("key", "before");
        const mine = new Error("mine");
        const failures = [];
        for (const fail of [
          (tx) => {
            tx.set("key", "half");
            throw mine;
          },
          async (tx) => {
            tx.set("key", "half");
            await pause(5);
            tx.set("other", 1);
            throw mine;
          },
          (tx) => {
            tx.set("key", "half");
            tx.set("key", 1n);
          },
          (tx) => {
            tx.set("key", "half");
            throw undefined;
          },
        ]) {
          await db.update(fail).then(
            () => failures.push("no error"),
            (error) => failures.push(error === mine ? "mine" : (error?.code ?? String(error))),
          );
        }
        const after = [db.get("key"), db.has("other")];
        let kept;
        await db.update((tx) => {
          kept = tx;
          tx.set("key", "after");
        });
        const late = await outcome(() => kept.set("key", "too late"));
        await db.close();
        const again = await selkie.open("db", { storage });
        const last = again.get("key");
        const { readers } = again.stats();
        await again.close();
        return { failures, after, late: late.error?.code, last, readers };
      }, storage);
      assert.deepEqual(result, { failures: ["mine", "mine", "ENCODING", "undefined"], after: ["before", false], late: "ABORTED", last: "after", readers: 0 });
    });

    test("updates that wait for each other's data all count", async () => {
      const page = await site.open();
      const count = await page.evaluate(async (storage) => {
        const db = await selkie.open("db", { storage });
        await Promise.all(
          Array.from({ length: 40 }, () =>
            db.update(async (tx) => {
              const count = tx.get("count") ?? 0;
              await pause(Math.random() * 3);
              tx.set("count", count + 1);
            }),
          ),
        );
        await db.close();
        const again = await selkie.open("db", { storage });
        return again.get("count");
      }, storage);
      assert.equal(count, 40);
    });

    test("opened and closed forty times, nothing is left over", async () => {
      const page = await site.open();
      const { grown, locks } = await page.evaluate(async (storage) => {
        const once = async (number) => {
          const db = await selkie.open("db", { storage });
          await db.set(`key ${number % 10}`, number);
          db.snapshotView();
          db.watch({ prefix: "key" }, () => {});
          await db.close();
        };
        const memory = async () => {
          const db = await selkie.open("probe", { storage: "memory" });
          const bytes = db.stats().wasmMemoryBytes;
          await db.close();
          return bytes;
        };
        for (let number = 0; number < 10; number++) await once(number);
        const before = await memory();
        for (let number = 0; number < 30; number++) await once(number);
        const grown = (await memory()) - before;
        let locks = [];
        for (let waited = 0; waited < 2_000; waited += 20) {
          const { held, pending } = await navigator.locks.query();
          locks = [...held, ...pending].map(({ name }) => name);
          if (locks.length === 0) break;
          await pause(20);
        }
        return { grown, locks };
      }, storage);
      assert.ok(grown <= 2 * MIB, `${grown} bytes more`);
      assert.deepEqual(locks, []);
      assert.equal(page.workers().length, 0, "its workers have ended");
    });

    test("no task on the main thread takes 50 ms while 100,000 records are loaded, opened again and searched", chromiumOnly, async () => {
      const page = await site.open();
      const phases = {
        load: async () => {
          kept.db = await selkie.open("db", { storage, snapshots: "never" });
          const record = (number) => ({ type: "set", key: `user:${String(number).padStart(10, "0")}`, value: { number, name: `user ${number}`, text: "x".repeat(60) } });
          for (let start = 0; start < 100_000; start += 1000) {
            await kept.db.batch(Array.from({ length: 1000 }, (_, index) => record(start + index)));
          }
          await kept.db.close();
        },
        "open the log": async () => (kept.db = await selkie.open("db", { storage, snapshots: "never" })),
        snapshot: () => kept.db.checkpoint(),
        export: () => kept.db.export(),
        "close and open the snapshot": async () => {
          await kept.db.close();
          kept.db = await selkie.open("db", { storage });
        },
      };
      await page.evaluate((storage) => Object.assign(globalThis, { storage }), storage);
      const longest = {};
      const tooLong = [];
      for (const [phase, work] of Object.entries(phases)) {
        const ms = await longestTask(site.browser, page, () => page.evaluate(`(${work})().then(() => undefined)`));
        longest[phase] = Math.round(ms);
        if (ms >= 50) tooLong.push(phase);
      }
      const [count, last] = await page.evaluate(() => [kept.db.count(), kept.db.get("user:0000099999").number]);
      assert.deepEqual([count, last], [100_000, 99_999]);
      console.log(`longest tasks with 100,000 records over ${storage}, ms of processor time: ${JSON.stringify(longest)}`);
      assert.deepEqual(tooLong, [], JSON.stringify(longest));
    });
  });
}
