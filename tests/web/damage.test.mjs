/** Damaged files are refused with their name and the place, and other databases of the origin do not suffer. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { storages, test, useBrowser } from "./fixture.mjs";

const site = useBrowser();

/** Two databases with a snapshot, some log after it, and a clean end. */
const make = (page, storage) =>
  page.evaluate(async (storage) => {
    for (const name of ["victim", "bystander"]) {
      const db = await selkie.open(name, { storage });
      for (let number = 1; number <= 60; number++) workload.commit(db, number);
      await db.checkpoint();
      for (let number = 61; number <= 120; number++) workload.commit(db, number);
      await db.close();
    }
  }, storage);

const lookAt = (page, name, storage) =>
  page.evaluate(
    async ([name, storage]) => {
      const { value, error } = await outcome(async () => {
        const db = await selkie.open(name, { storage });
        const view = db.snapshotView();
        const count = workload.check(view, view.keyspace(workload.mirrorOf(db)));
        view.close();
        await db.close();
        return count;
      });
      return error ?? value;
    },
    [name, storage],
  );

describe("damage in a file of OPFS", () => {
  for (const [kind, ending] of [["log", ".log"], ["snapshot", ".snapshot"]]) {
    test(`a flipped byte in the ${kind}`, async () => {
      const page = await site.open();
      await make(page, "opfs");
      const { file, offset } = await page.evaluate(async (ending) => {
        const root = await navigator.storage.getDirectory();
        const folder = await (await root.getDirectoryHandle("selkie")).getDirectoryHandle("victim");
        const files = [];
        for await (const handle of folder.values()) if (handle.name.endsWith(ending)) files.push(await handle.getFile());
        const largest = files.reduce((a, b) => (a.size > b.size ? a : b));
        const bytes = new Uint8Array(await largest.arrayBuffer());
        const used = bytes.findLastIndex((byte) => byte !== 0);
        const offset = used >> 1;
        bytes[offset] ^= 0x40;
        const writable = await (await folder.getFileHandle(largest.name)).createWritable();
        await writable.write(bytes);
        await writable.close();
        return { file: largest.name, offset };
      }, ending);
      const error = await lookAt(page, "victim", "opfs");
      assert.equal(error.code, "CORRUPTED", JSON.stringify(error));
      assert.ok(error.file.endsWith(file), `${error.file} instead of ${file}`);
      assert.ok(error.offset >= 0 && error.offset <= offset, `the damage at ${offset} is told to be at ${error.offset}`);
      assert.equal(await lookAt(page, "bystander", "opfs"), 120);
      assert.equal((await lookAt(page, "victim", "opfs")).code, "CORRUPTED", "a refused open changes nothing and locks nothing");
    });
  }

  test("a file that is missing, and one that does not belong there", async () => {
    const page = await site.open();
    await make(page, "opfs");
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await (await root.getDirectoryHandle("selkie")).getDirectoryHandle("victim");
      await folder.getFileHandle("not ours", { create: true });
      await folder.getDirectoryHandle("a folder", { create: true });
    });
    assert.equal(await lookAt(page, "victim", "opfs"), 120, "what is not ours is passed over");
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await (await root.getDirectoryHandle("selkie")).getDirectoryHandle("victim");
      await folder.removeEntry("database");
    });
    assert.equal((await lookAt(page, "victim", "opfs")).code, "CORRUPTED");
  });
});

for (const storage of storages) {
  test(`bytes flipped anywhere over ${storage}: refused, or nothing is different`, async () => {
    const page = await site.open();
    await make(page, storage);
    const opened = await page.evaluate(async (storage) => {
      const files = await selkie.readFiles("victim", { storage });
      const opened = [];
      let seed = 7;
      for (let round = 0; round < 25; round++) {
        const copies = new Map();
        for (const [name, blob] of files) copies.set(name, new Uint8Array(await blob.arrayBuffer()));
        seed = (seed * 48271) % 2147483647;
        const [name, bytes] = [...copies][seed % copies.size];
        if (bytes.length > 0) bytes[seed % bytes.length] ^= 1 << (seed % 8);
        await selkie.writeFiles("copy", copies, { storage });
        const { value, error } = await outcome(async () => {
          const db = await selkie.open("copy", { storage });
          const view = db.snapshotView();
          const count = workload.check(view, view.keyspace(workload.mirrorOf(db)));
          view.close();
          await db.close();
          return count;
        });
        opened.push(error ? error.code : value);
        if (error && error.code === "CORRUPTED" && typeof error.file !== "string") opened.push(`${name}: no file is named`);
        await selkie.destroy("copy", { storage });
      }
      return opened;
    }, storage);
    assert.deepEqual(opened.filter((result) => result !== "CORRUPTED" && result !== "UNSUPPORTED_FORMAT" && result !== 120), []);
    assert.ok(opened.includes("CORRUPTED"));
  });
}
