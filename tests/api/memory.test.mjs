// What nobody holds any more is let go, without being closed. Needs `node --expose-gc`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inMemory, open, sleep, temporary, until, within } from "./support.mjs";

const options = { skip: globalThis.gc === undefined && "run with --expose-gc" };

/** Finalizers run in tasks of their own, some time after a collection. */
async function collect() {
  for (let round = 0; round < 5; round++) {
    globalThis.gc();
    await sleep(5);
  }
}

test("views, transactions and ranges that were dropped hold nothing back", options, async (t) => {
  const db = await inMemory(t);
  for (let n = 0; n < 1000; n++) db.set(`k${n}`, n);
  const drop = () => {
    for (let n = 0; n < 100; n++) {
      db.snapshotView().get("k1");
      const tx = db.begin();
      tx.set("k1", n);
      tx.savepoint();
      db.begin({ mode: "read" }).count();
      db.keys()[Symbol.iterator]().next();
    }
  };
  drop();
  assert.ok(db.stats().readers > 0);
  await until(async () => (await collect(), db.stats().readers === 0));
  for (let n = 0; n < 1000; n++) db.set("k1", n);
  db.collectGarbage();
  assert.equal(db.stats().versions, 1000);
});

test("changes that were dropped do not stop the database, nor its memory from being given back", options, async (t) => {
  const db = await inMemory(t, { valueEncoding: "utf8", limits: { watchBytes: 1 << 20 } });
  const drop = () => {
    for (let n = 0; n < 50; n++) db.changes();
  };
  drop();
  await collect();
  const before = db.stats().wasmMemoryBytes;
  for (let n = 0; n < 200; n++) await db.set("a", "x".repeat(1 << 20));
  assert.ok(db.stats().wasmMemoryBytes - before < 40 << 20);
});

test("databases that were dropped give their memory back", options, async (t) => {
  const one = async (n) => {
    const db = await open(`dropped-${n}`, { storage: "memory", valueEncoding: "utf8" });
    await db.set("a", "x".repeat(8 << 20));
    return db.stats().wasmMemoryBytes;
  };
  for (let n = 0; n < 4; n++) {
    await one(n);
    await collect();
  }
  const kept = await inMemory(t);
  const before = kept.stats().wasmMemoryBytes;
  for (let n = 4; n < 30; n++) {
    await one(n);
    await collect();
  }
  const more = (kept.stats().wasmMemoryBytes - before) >> 20;
  assert.ok(more < 64, `${more} MiB more`);
});

test("a database in files that was dropped can be opened again", options, async () => {
  const directory = temporary();
  await (async () => {
    const db = await open("db", { directory });
    await db.set("a", 1);
  })();
  const again = open("db", { directory, tabs: "wait" });
  const timer = setInterval(() => globalThis.gc(), 20);
  try {
    const db = await within(10_000, again);
    assert.equal(db.get("a"), 1);
    await db.close();
  } finally {
    clearInterval(timer);
  }
});

test("overwriting does not need more memory with time", options, async (t) => {
  const db = await inMemory(t, { valueEncoding: "utf8" });
  const round = async (n) => {
    for (let key = 0; key < 200; key++) await db.set(`k${key}`, `${n}`.padEnd(20_000, "x"));
  };
  for (let n = 0; n < 5; n++) await round(n);
  const before = db.stats().wasmMemoryBytes;
  for (let n = 5; n < 30; n++) await round(n);
  assert.ok(db.stats().wasmMemoryBytes - before < 16 << 20);
  db.collectGarbage();
  assert.equal(db.stats().versions, 200);
});

test("watches that were stopped hold nothing, also where nothing is committed", options, async (t) => {
  const db = await inMemory(t);
  const startAndStop = async () => {
    for (let n = 0; n < 10_000; n++) db.watch({}, () => {})();
    await sleep(0);
    globalThis.gc();
    return process.memoryUsage().heapUsed;
  };
  const before = await startAndStop();
  for (let round = 0; round < 3; round++) await startAndStop();
  const grown = (await startAndStop()) - before;
  assert.ok(grown < 4e6, `${grown} bytes`);
});

test("older values go by themselves, but not after every commit", async (t) => {
  const db = await inMemory(t);
  const both = (value) => db.batch(["a", "b"].map((key) => ({ type: "set", key, value })));
  await both(1);
  await db.set("a", 2);
  assert.equal(db.stats().versions, 2, "a commit of one change leaves nothing behind");
  await both(3);
  await until(() => db.stats().versions === 2);
  // So that the collector, which found nothing more, has come to its rest.
  await sleep(20);
  await both(4);
  await sleep(20);
  assert.equal(db.stats().versions, 4);
  await until(() => db.stats().versions === 2);
});
