/** A storage that is full in the middle of commits and snapshots: a typed error, nothing acknowledged is lost, and it works again. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { codes, inChromium, storages, test, useBrowser } from "./fixture.mjs";

// Firefox gives an origin a fifth of this.
const FIREFOX_LIMIT_KB = 60 << 10;
const CHROMIUM_QUOTA_BYTES = 12 << 20;
const BALLAST_BYTES = 9_000_000;
/** Chromium reserves the next power of two for a file that grows. */
const FITS_ONCE_BYTES = 1_900_000;

const site = useBrowser({ preferences: { "dom.quotaManager.temporaryStorage.fixedLimit": FIREFOX_LIMIT_KB } });

async function limit(page) {
  if (!inChromium) return;
  const devtools = await site.browser.devtools(page);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin: new URL(page.url()).origin, quotaSize: CHROMIUM_QUOTA_BYTES });
}

/** Something else of the same origin that takes space, and gives it back. */
const makeBallast = (page) =>
  page.evaluate(async (bytes) => {
    const folder = await navigator.storage.getDirectory();
    const file = await (await folder.getFileHandle("ballast", { create: true })).createWritable();
    for (let written = 0; written < bytes; written += 60_000) await file.write(crypto.getRandomValues(new Uint8Array(60_000)));
    await file.close();
  }, BALLAST_BYTES);

const dropBallast = (page) => page.evaluate(async () => (await navigator.storage.getDirectory()).removeEntry("ballast"));

/** Commits values that do not compress, as many at a time, until one fails. */
const fill = (page, atATime, options) =>
  page.evaluate(
    async ([atATime, options]) => {
      const size = 100_000;
      const value = (number) => {
        const bytes = new Uint8Array(size);
        for (let at = 0; at < size; at += 50_000) crypto.getRandomValues(bytes.subarray(at, at + 50_000));
        new DataView(bytes.buffer).setUint32(0, number);
        return bytes;
      };
      const blobs = kept.db.keyspace("blobs", { keyEncoding: "number", valueEncoding: "binary" });
      let number = blobs.count();
      let acknowledged = number;
      for (let failure; ; ) {
        const commits = Array.from({ length: atATime }, () => {
          const mine = ++number;
          return outcome(() => blobs.set(mine, value(mine), options)).then(({ error }) => {
            if (error) failure ??= error;
            else acknowledged = Math.max(acknowledged, mine);
          });
        });
        await Promise.all(commits);
        if (failure) return { acknowledged, submitted: number, failure };
        if (number > 500) return { acknowledged, submitted: number };
      }
    },
    [atATime, options],
  );

/** Opens, and looks which of the numbered values are there and right. */
const reopen = (page, storage) =>
  page.evaluate(async (storage) => {
    const { value: db, error } = await outcome(() => selkie.open("db", { storage, tabs: "wait" }));
    if (error) return { error };
    kept.db = db;
    const blobs = db.keyspace("blobs", { keyEncoding: "number", valueEncoding: "binary" });
    const numbers = [...blobs.entries()].map(([key, bytes]) => (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === key ? key : `${key} is wrong`));
    return { numbers };
  }, storage);

const upTo = (/** @type {number} */ last) => Array.from({ length: last }, (_, index) => index + 1);

for (const storage of storages) {
  describe(`quota over ${storage}`, () => {
    for (const atATime of [1, 8]) {
      test(`the storage is full in the middle of commits, ${atATime} at a time`, async () => {
        const page = await site.open();
        await makeBallast(page);
        await limit(page);
        await page.evaluate(async (storage) => (kept.db = await selkie.open("db", { storage, snapshots: "never" })), storage);
        const { acknowledged, submitted, failure } = await fill(page, atATime);
        assert.ok(codes(failure).includes("QUOTA"), JSON.stringify(failure ?? submitted));
        assert.ok(acknowledged > 5, `${acknowledged} commits fitted`);

        const after = await page.evaluate(async () => {
          const reads = kept.db.keyspace("blobs", { keyEncoding: "number", valueEncoding: "binary" }).has(1);
          const write = await outcome(() => kept.db.set("more", 1));
          await outcome(() => kept.db.close());
          return { reads, write: write.error?.code };
        });
        assert.deepEqual(after, { reads: true, write: "POISONED" });

        const full = await reopen(page, storage);
        assert.equal(full.error, undefined, `it does not open while the storage is full: ${JSON.stringify(full.error)}`);
        assert.deepEqual(full.numbers, upTo(full.numbers.length));
        assert.ok(full.numbers.length >= acknowledged && full.numbers.length <= submitted, `${full.numbers.length} of ${acknowledged} to ${submitted}`);
        await page.evaluate(() => outcome(() => kept.db.close()));

        await dropBallast(page);
        const freed = await reopen(page, storage);
        assert.deepEqual(freed.numbers, full.numbers);
        await page.evaluate(async () => {
          for (let number = 0; number < 4; number++) await kept.db.set(`more ${number}`, "x".repeat(100_000));
          await kept.db.checkpoint();
          await kept.db.close();
        });
        const last = await reopen(page, storage);
        assert.deepEqual(last.numbers, full.numbers);
        assert.equal(await page.evaluate(() => kept.db.prefix("more").all().length), 4);
      });
    }

    test("a snapshot that finds no space leaves the database as it was", async () => {
      const page = await site.open();
      await makeBallast(page);
      await limit(page);
      await page.evaluate(async (storage) => (kept.db = await selkie.open("db", { storage, snapshots: "never" })), storage);
      // So much that the log fits and a snapshot beside it does not.
      const outcomes = await page.evaluate(async (bytes) => {
        const blobs = kept.db.keyspace("blobs", { keyEncoding: "number", valueEncoding: "binary" });
        for (let number = 1; number * 100_000 < bytes; number++) {
          const value = new Uint8Array(100_000);
          for (let at = 0; at < value.length; at += 50_000) crypto.getRandomValues(value.subarray(at, at + 50_000));
          new DataView(value.buffer).setUint32(0, number);
          await blobs.set(number, value);
        }
        const snapshot = await outcome(() => kept.db.checkpoint());
        const stats = kept.db.stats();
        const write = await outcome(() => kept.db.set("small", 1));
        await outcome(() => kept.db.close());
        return { snapshot: snapshot.error, write: write.error, poisoned: stats.poisoned };
      }, FITS_ONCE_BYTES);
      assert.ok(codes(outcomes.snapshot).includes("QUOTA"), JSON.stringify(outcomes));
      await dropBallast(page);
      const { numbers, error } = await reopen(page, storage);
      assert.equal(error, undefined, JSON.stringify(error));
      assert.ok(numbers.length > 15);
      assert.deepEqual(numbers, upTo(numbers.length));
      if (!outcomes.write) assert.equal(await page.evaluate(() => kept.db.get("small")), 1);
      await page.evaluate(async () => {
        await kept.db.checkpoint();
        await kept.db.close();
      });
    });
  });
}
