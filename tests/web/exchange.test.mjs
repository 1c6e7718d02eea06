/** The same files natively and in a browser: what one wrote the other opens, and the bytes are the same on the way. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { root, storages, test, useBrowser } from "./fixture.mjs";

const program = process.env.SELKIE_PROGRAM ?? join(process.env.CARGO_TARGET_DIR ?? `${root}target`, "release/selkie");
const site = useBrowser();
let folder;

before(() => {
  assert.ok(existsSync(program), `${program} is missing: cargo build --release --features cli`);
  folder = mkdtempSync(join(tmpdir(), "selkie-exchange-"));
});

after(() => rmSync(folder, { recursive: true, force: true }));

const selkie = (/** @type {string[]} */ ...words) => execFileSync(program, words, { encoding: "utf8", maxBuffer: 1 << 28 });
const records = (/** @type {number} */ count) => Array.from({ length: count }, (_, number) => [`key ${String(number).padStart(6, "0")} é😀`, JSON.stringify({ number })]);
const base64 = (/** @type {Buffer} */ bytes) => bytes.toString("base64");

/** The files of a folder, in a form that can go into a page. */
function filesOf(/** @type {string} */ place) {
  return readdirSync(place)
    .filter((name) => name !== "lock")
    .sort()
    .map((name) => [name, base64(readFileSync(join(place, name)))]);
}

const toPage = (page, name, storage, files) =>
  page.evaluate(
    async ([name, storage, files]) => {
      const decode = async (text) => new Uint8Array(await (await fetch(`data:application/octet-stream;base64,${text}`)).arrayBuffer());
      const decoded = [];
      for (const [file, text] of files) decoded.push([file, await decode(text)]);
      await selkie.writeFiles(name, decoded, { storage });
    },
    [name, storage, files],
  );

const fromPage = (page, name, storage) =>
  page.evaluate(
    async ([name, storage]) => {
      const encode = (blob) =>
        new Promise((resolve) => {
          const reader = new FileReader();
          reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
          reader.readAsDataURL(blob);
        });
      const files = [];
      for (const [file, blob] of await selkie.readFiles(name, { storage })) files.push([file, await encode(blob)]);
      return files.sort(([a], [b]) => (a < b ? -1 : 1));
    },
    [name, storage],
  );

for (const storage of storages) {
  describe(`files exchanged over ${storage}`, () => {
    test("a native database goes into the browser and out again, byte for byte, and is used there", async () => {
      const place = join(folder, `native ${storage}`);
      const input = join(folder, "records.jsonl");
      const expected = records(3_000);
      writeFileSync(input, expected.map(([key, value]) => JSON.stringify({ key, value })).join("\n"));
      selkie("load", place, input);
      const files = filesOf(place);
      const page = await site.open();
      await toPage(page, "native", storage, files);
      assert.deepEqual(await fromPage(page, "native", storage), files);

      const found = await page.evaluate(async (storage) => {
        const db = await selkie.open("native", { storage });
        const entries = db.entries().all();
        const { bytesCut, created } = db.recovery;
        await db.set("from the browser", "a value");
        await db.close();
        return { entries, bytesCut, created };
      }, storage);
      assert.deepEqual([found.bytesCut, found.created], [0, false]);
      assert.deepEqual(found.entries, expected.map(([key, value]) => [key, JSON.parse(value)]));

      const back = join(folder, `native ${storage} and back`);
      mkdirSync(back);
      for (const [name, text] of await fromPage(page, "native", storage)) writeFileSync(join(back, name), Buffer.from(text, "base64"));
      selkie("verify", back);
      assert.equal(selkie("get", back, "from the browser").trim(), '"a value"');
      assert.equal(selkie("dump", back).trim().split("\n").length, expected.length + 1);
    });

    test("a database of the browser opens natively, with its history and keyspaces, and comes back", async () => {
      const page = await site.open();
      await page.evaluate(async (storage) => {
        const db = await selkie.open("web", { storage, history: { versions: 10 } });
        for (let number = 1; number <= 200; number++) workload.commit(db, number);
        await db.checkpoint();
        for (let number = 201; number <= 300; number++) workload.commit(db, number);
        await db.close();
      }, storage);
      const place = join(folder, `web ${storage}`);
      mkdirSync(place);
      const files = await fromPage(page, "web", storage);
      for (const [name, text] of files) writeFileSync(join(place, name), Buffer.from(text, "base64"));
      selkie("verify", place);
      assert.equal(selkie("get", place, "count").trim(), "300");
      assert.ok(selkie("history", place, "count").trim().split("\n").length >= 10);
      selkie("set", place, "from outside", '"native"');
      await toPage(page, "back", storage, filesOf(place));
      const found = await page.evaluate(async (storage) => {
        const db = await selkie.open("back", { storage });
        const value = db.get("from outside");
        await db.delete("from outside");
        const view = db.snapshotView();
        const count = workload.check(view, view.keyspace(workload.mirrorOf(db)));
        view.close();
        await db.close();
        return [value, count];
      }, storage);
      assert.deepEqual(found, ["native", 300]);
    });
  });
}
