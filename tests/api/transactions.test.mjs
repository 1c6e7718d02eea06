import assert from "node:assert/strict";
import { test } from "node:test";
import { inMemory, rejects, sleep, throws } from "./support.mjs";

test("a transaction sees its moment and its own writes; others see it when it commits", async (t) => {
  const db = await inMemory(t);
  await db.batch(["a", "b", "c"].map((key) => ({ type: "set", key, value: key })));
  const tx = db.begin();
  await db.set("d", "d");
  tx.set("b", "B");
  tx.delete("c");
  tx.set("e", "E");
  assert.deepEqual(tx.range().all(), [
    ["a", "a"],
    ["b", "B"],
    ["e", "E"],
  ]);
  assert.deepEqual(tx.keys({ reverse: true }).all(), ["e", "b", "a"]);
  assert.deepEqual(tx.getMany(["a", "b", "c", "d"]), ["a", "B", undefined, undefined]);
  assert.equal(tx.count({ gt: "a" }), 2);
  assert.deepEqual(tx.prefix("b").first(), ["b", "B"]);
  assert.equal(db.get("b"), "b");
  tx.abort();
  assert.equal(db.get("b"), "b");
});

test("a serializable transaction fails when what it read has changed: keys, missing ones, and ranges", async (t) => {
  const reads = {
    get: (tx) => tx.get("a"),
    missing: (tx) => tx.has("none"),
    range: (tx) => tx.keys({ gte: "m" }).all(),
    count: (tx) => tx.count(),
  };
  const changes = { get: "a", missing: "none", range: "n", count: "x" };
  for (const [name, read] of Object.entries(reads)) {
    const db = await inMemory(t);
    await db.set("a", 1);
    const tx = db.begin();
    read(tx);
    tx.set("result", 1);
    await db.set(changes[name], 2);
    await rejects(tx.commit(), "CONFLICT", undefined, { keyspace: "default", version: 2 });
    assert.equal(db.has("result"), false);
  }
});

test("what a transaction did not read does not hinder it", async (t) => {
  const db = await inMemory(t);
  const tx = db.begin();
  tx.get("a");
  tx.keys({ gte: "b", lt: "c" }).all();
  tx.set("z", 1);
  await db.set("aa", 1);
  await db.set("c", 1);
  assert.deepEqual(await tx.commit(), { version: 3 });
});

test("snapshot isolation asks only of what was written, or read for update", async (t) => {
  const db = await inMemory(t);
  await db.set("a", 1);
  const skewed = db.begin({ isolation: "snapshot" });
  skewed.get("a");
  skewed.set("b", 1);
  await db.set("a", 2);
  await skewed.commit();
  const careful = db.begin({ isolation: "snapshot" });
  assert.equal(careful.getForUpdate("a"), 2);
  careful.set("b", 2);
  await db.set("a", 3);
  await rejects(careful.commit(), "CONFLICT", undefined, { key: new TextEncoder().encode("a") });
  const written = db.begin({ isolation: "snapshot" });
  written.set("a", 4);
  await db.set("a", 5);
  await rejects(written.commit(), "CONFLICT");
});

test("update runs again until nothing conflicts, also when it is asynchronous", async (t) => {
  const db = await inMemory(t);
  await db.set("n", 0);
  const add = () =>
    db.update(async (tx) => {
      const n = tx.get("n");
      await sleep(Math.random() * 2);
      tx.set("n", n + 1);
      return n;
    });
  const seen = await Promise.all(Array.from({ length: 30 }, add));
  assert.equal(db.get("n"), 30);
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    Array.from({ length: 30 }, (_, index) => index),
  );
});

test("update gives up after as many attempts as allowed, and for other errors at once", async (t) => {
  const db = await inMemory(t, { limits: { attempts: 3 } });
  let runs = 0;
  const lose = async (tx) => {
    runs++;
    tx.get("a");
    await db.set("a", runs);
    tx.set("a", -1);
  };
  await rejects(db.update(lose), "CONFLICT");
  assert.equal(runs, 3);
  const mine = new TypeError("mine");
  await assert.rejects(
    db.update((tx) => (tx.set("a", "lost"), Promise.reject(mine))),
    mine,
  );
  await assert.rejects(
    db.update(() => {
      throw mine;
    }),
    mine,
  );
  assert.equal(db.get("a"), 3);
});

test("a signal ends update between attempts", async (t) => {
  const db = await inMemory(t);
  await rejects(
    db.update(() => 1, { signal: AbortSignal.abort() }),
    "ABORTED",
  );
  const controller = new AbortController();
  const reason = new Error("enough");
  let runs = 0;
  const lose = async (tx) => {
    tx.get("a");
    await db.set("a", ++runs);
    if (runs === 3) controller.abort(reason);
    tx.set("b", 1);
  };
  await rejects(db.update(lose, { signal: controller.signal }), "ABORTED", undefined, { cause: reason });
  assert.equal(runs, 3);
});

test("what update returns, and that its transaction is over afterwards", async (t) => {
  const db = await inMemory(t);
  let kept;
  assert.equal(await db.update((tx) => ((kept = tx), tx.set("a", 1), "result")), "result");
  throws(() => kept.get("a"), "ABORTED");
  assert.equal(await db.update(() => undefined), undefined);
  assert.equal(db.stats().readers, 0);
});

test("savepoints: back, forth, nested, released", async (t) => {
  const db = await inMemory(t);
  await db.set("a", 0);
  const tx = db.begin();
  tx.set("a", 1);
  const outer = tx.savepoint();
  tx.set("a", 2);
  tx.set("b", 2);
  const inner = tx.savepoint();
  tx.delete("a");
  tx.deleteRange({});
  tx.rollbackTo(inner);
  assert.deepEqual(tx.range().all(), [
    ["a", 2],
    ["b", 2],
  ]);
  tx.rollbackTo(outer);
  assert.deepEqual(tx.range().all(), [["a", 1]]);
  throws(() => tx.rollbackTo(inner), "INVALID_ARGUMENT");
  tx.set("c", 3);
  tx.rollbackTo(outer);
  tx.set("d", 4);
  tx.release(outer);
  throws(() => tx.rollbackTo(outer), "INVALID_ARGUMENT");
  await tx.commit();
  assert.deepEqual(db.range().all(), [
    ["a", 1],
    ["d", 4],
  ]);
  const other = db.begin();
  const foreign = other.savepoint();
  const last = db.begin();
  for (const wrong of [foreign, {}, null, undefined, { core: {} }]) {
    throws(() => last.rollbackTo(wrong), "INVALID_ARGUMENT");
    throws(() => last.release(wrong), "INVALID_ARGUMENT");
  }
  other.abort();
  last.abort();
});

test("deleteRange tells how many, sees its own writes, and conflicts with what comes into the range", async (t) => {
  const db = await inMemory(t);
  await db.batch(["a", "b", "c", "d"].map((key) => ({ type: "set", key, value: 1 })));
  const tx = db.begin();
  tx.set("bb", 1);
  assert.equal(tx.deleteRange({ gte: "b", lt: "d" }), 3);
  assert.deepEqual(tx.keys().all(), ["a", "d"]);
  await db.set("bbb", 1);
  await rejects(tx.commit(), "CONFLICT");
  assert.equal(await db.update((again) => again.deleteRange()), 5);
  assert.equal(db.count(), 0);
});

test("a transaction that only reads has one moment, refuses to write, and never conflicts", async (t) => {
  const db = await inMemory(t);
  await db.set("a", 1);
  const tx = db.begin({ mode: "read" });
  await db.set("a", 2);
  assert.equal(tx.get("a"), 1);
  for (const write of [
    () => tx.set("a", 3),
    () => tx.delete("a"),
    () => tx.deleteRange(),
    () => tx.getForUpdate("a"),
  ]) {
    throws(write, "READ_ONLY");
  }
  assert.deepEqual(await tx.commit(), { version: 1 });
  throws(() => tx.get("a"), "ABORTED");
  await rejects(tx.commit(), "ABORTED");
});

test("after its end a transaction is refused everything but another end", async (t) => {
  const db = await inMemory(t);
  for (const end of [(tx) => tx.commit(), (tx) => tx.abort()]) {
    const tx = db.begin();
    const keyspace = tx.keyspace(db.keyspace("k"));
    const savepoint = tx.savepoint();
    const iterator = tx.keys()[Symbol.iterator]();
    await end(tx);
    const uses = [
      () => tx.get("a"),
      () => tx.has("a"),
      () => tx.getMany(["a"]),
      () => tx.range().all(),
      () => tx.count(),
      () => tx.set("a", 1),
      () => tx.delete("a"),
      () => tx.deleteRange(),
      () => tx.getForUpdate("a"),
      () => tx.savepoint(),
      () => tx.rollbackTo(savepoint),
      () => keyspace.get("a"),
      () => keyspace.set("a", 1),
      () => iterator.next(),
    ];
    for (const use of uses) throws(use, "ABORTED");
    await rejects(tx.commit(), "ABORTED");
    tx.abort();
  }
});

test("a commit that ends in an error leaves the database usable", async (t) => {
  const db = await inMemory(t);
  for (let round = 0; round < 300; round++) {
    const tx = db.begin();
    tx.get("a");
    await db.set("a", round);
    tx.set("b", round);
    await rejects(tx.commit(), "CONFLICT");
  }
  assert.equal(db.stats().readers, 0);
  assert.equal(await db.update((tx) => tx.get("a")), 299);
});

test("an empty transaction commits", async (t) => {
  const db = await inMemory(t);
  await db.set("a", 1);
  assert.deepEqual(await db.begin().commit(), { version: 1 });
});

test("a transaction over several keyspaces is one commit; another database's keyspace is refused", async (t) => {
  const [db, other] = [await inMemory(t), await inMemory(t)];
  const users = db.keyspace("users");
  const ages = db.keyspace("ages", { keyEncoding: "number", valueEncoding: "utf8" });
  await db.update((tx) => {
    tx.set("n", 1);
    tx.keyspace(users).set("ada", { age: 36 });
    tx.keyspace(ages).set(36, "ada");
    assert.deepEqual(tx.keyspace(users).get("ada"), { age: 36 });
    assert.equal(users.get("ada"), undefined);
  });
  assert.equal(db.version, users.history("ada")[0].version);
  assert.deepEqual([db.get("n"), users.get("ada"), ages.range().all()], [1, { age: 36 }, [[36, "ada"]]]);
  const tx = db.begin();
  const view = db.snapshotView();
  for (const wrong of [other.keyspace("users"), other, {}, null, undefined, "users"]) {
    throws(() => tx.keyspace(wrong), "INVALID_ARGUMENT");
    throws(() => view.keyspace(wrong), "INVALID_ARGUMENT");
  }
  tx.abort();
  view.close();
});

test("wrong arguments throw at once", async (t) => {
  const db = await inMemory(t);
  for (const options of [null, 1, { mode: "write" }, { isolation: "none" }, { durability: "x" }, { readonly: true }]) {
    throws(() => db.begin(options), "INVALID_ARGUMENT");
  }
  for (const change of [undefined, null, "a", {}]) await rejects(db.update(change), "INVALID_ARGUMENT");
  for (const options of [null, { mode: "read" }, { signal: 1 }, { retries: 3 }])
    await rejects(
      db.update(() => 1, options),
      "INVALID_ARGUMENT",
    );
  const tx = db.begin();
  throws(() => tx.set(1, 1), "ENCODING");
  throws(() => tx.set("a", undefined), "ENCODING");
  throws(() => tx.deleteRange({ limit: 1 }), "INVALID_ARGUMENT");
  throws(() => tx.deleteRange(null), "INVALID_ARGUMENT");
  assert.equal(tx.count(), 0);
  tx.abort();
});

test("a limit ends readers that hold back too much, and they say so", async (t) => {
  const db = await inMemory(t, { limits: { readerBytes: 10_000 } });
  await db.set("key", "first");
  const view = db.snapshotView();
  const tx = db.begin();
  assert.equal(view.get("key"), "first");
  for (let count = 0; count < 40; count++) await db.set("key", "x".repeat(1000));
  throws(() => view.get("key"), "READER_ENDED");
  throws(() => tx.get("key"), "READER_ENDED");
  assert.equal(db.stats().readersEnded, 2);
  assert.ok(db.stats().historyBytes <= 11_000);
  assert.equal(db.get("key"), "x".repeat(1000));
  view.close();
  tx.abort();
});
