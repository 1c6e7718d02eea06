import assert from "node:assert/strict";
import { test } from "node:test";
import { inFiles, inMemory, open, sleep, temporary, throws, until } from "./support.mjs";

/** Writes values one after the other, each in a millisecond of its own; answers with when each was there. */
async function grow(db, key, values) {
  const times = [];
  for (const value of values) {
    await sleep(3);
    await (value === undefined ? db.delete(key) : db.set(key, value));
    times.push(new Date());
    await sleep(3);
  }
  return times;
}

test("asOf sees what there was at a time, and at what there was at a version", async (t) => {
  const db = await inMemory(t, { history: true });
  const before = Date.now() - 1000;
  const times = await grow(db, "a", [1, 2, undefined, 4]);
  for (const [index, wanted] of [1, 2, undefined, 4].entries()) {
    for (const view of [db.asOf(times[index]), db.asOf(times[index].getTime()), db.at(index + 1)]) {
      assert.equal(view.get("a"), wanted);
      assert.equal(view.has("a"), wanted !== undefined);
      assert.equal(view.count(), wanted === undefined ? 0 : 1);
      assert.deepEqual(view.values().all(), wanted === undefined ? [] : [wanted]);
      view.close();
    }
    const view = db.at(index + 1);
    assert.equal(view.version, index + 1);
    view.close();
  }
  for (const view of [db.asOf(before), db.asOf(0), db.asOf(-Infinity), db.at(0)]) {
    assert.equal(view.get("a"), undefined);
    view.close();
  }
  for (const time of [Date.now() + 1e6, Infinity]) assert.equal(db.asOf(time).get("a"), 4);
  throws(() => db.at(5), "INVALID_ARGUMENT", /not committed yet/);
});

test("the time of a change is the time that asOf takes", async (t) => {
  const db = await inMemory(t, { history: true });
  await grow(db, "a", [1, 2, 3]);
  for (const { time, value } of db.history("a")) assert.equal(db.asOf(time).get("a"), value);
});

test("history gives the versions of a key, newest first, with removals", async (t) => {
  const db = await inMemory(t, { history: true });
  const times = await grow(db, "a", [{ n: 1 }, undefined, { n: 3 }]);
  await db.set("b", 1);
  const versions = db.history("a");
  assert.deepEqual(
    versions.map(({ version, deleted, value }) => ({ version, deleted, value })),
    [
      { version: 3, deleted: false, value: { n: 3 } },
      { version: 2, deleted: true, value: undefined },
      { version: 1, deleted: false, value: { n: 1 } },
    ],
  );
  for (const [index, { time }] of versions.toReversed().entries()) {
    assert.ok(time instanceof Date);
    assert.ok(Math.abs(time.getTime() - times[index].getTime()) < 100);
  }
  assert.deepEqual(db.history("none"), []);
  const past = db.at(2);
  assert.deepEqual(
    past.history("a").map(({ version }) => version),
    [2, 1],
  );
  past.close();
});

test("without history there is only the newest, and the past is refused rather than wrong", async (t) => {
  const db = await inMemory(t);
  const times = await grow(db, "a", [1, 2, 3]);
  db.collectGarbage();
  assert.deepEqual(
    db.history("a").map(({ value }) => value),
    [3],
  );
  const old = db.asOf(times[0]);
  throws(() => old.get("a"), "HISTORY_COLLECTED");
  throws(() => old.range().all(), "HISTORY_COLLECTED");
  old.close();
});

test("a number of versions is kept, and no more once garbage is collected", async (t) => {
  const db = await inMemory(t, { history: { versions: 3 } });
  for (let n = 1; n <= 10; n++) await db.set("a", n);
  db.collectGarbage();
  assert.deepEqual(
    db.history("a").map(({ value }) => value),
    [10, 9, 8],
  );
  assert.equal(db.at(9).get("a"), 9);
  throws(() => db.at(5).get("a"), "HISTORY_COLLECTED");
});

test("an age is kept", async (t) => {
  const db = await inMemory(t, { history: { ageMs: 60 } });
  await db.set("a", 1);
  await db.set("a", 2);
  assert.equal(db.history("a").length, 2);
  await sleep(120);
  await db.set("a", 3);
  await until(() => (db.collectGarbage(), db.history("a").length <= 2));
  assert.equal(db.get("a"), 3);
});

test("history is stored with the data, and can be changed when opening", async (t) => {
  const directory = temporary();
  const first = await open("db", { directory, history: { versions: 5 } });
  for (let n = 1; n <= 8; n++) await first.set("a", n);
  await first.close();
  const second = await open("db", { directory });
  assert.equal(second.history("a").length, 5);
  await second.set("a", 9);
  second.collectGarbage();
  assert.deepEqual(
    second.history("a").map(({ value }) => value),
    [9, 8, 7, 6, 5],
  );
  await second.close();
  const third = await inFiles(t, { directory, history: false });
  await third.set("a", 10);
  third.collectGarbage();
  assert.equal(third.history("a").length, 1);
});

test("a view does not change, whatever is committed and collected", async (t) => {
  const db = await inMemory(t);
  const entries = Array.from({ length: 500 }, (_, index) => [`k${String(index).padStart(3, "0")}`, index]);
  await db.batch(entries.map(([key, value]) => ({ type: "set", key, value })));
  const view = db.snapshotView();
  assert.equal(db.stats().readers, 1);
  for (const [key] of entries) db.delete(key);
  for (let n = 0; n < 100; n++) db.set(`new${n}`, n);
  db.collectGarbage();
  assert.deepEqual(view.range().all(), entries);
  assert.equal(view.get("k007"), 7);
  assert.deepEqual(view.getMany(["k001", "new1"]), [1, undefined]);
  assert.equal(view.version, 1);
  view.close();
  assert.equal(db.stats().readers, 0);
  view.close();
});

test("a closed view says so, in whatever is read through it", async (t) => {
  const db = await inMemory(t);
  const keyspace = db.keyspace("k");
  for (let n = 0; n < 300; n++) db.set(`k${n}`, n);
  const view = db.snapshotView();
  const inKeyspace = view.keyspace(keyspace);
  const iterator = view.keys()[Symbol.iterator]();
  iterator.next();
  view.close();
  const uses = [
    () => view.get("a"),
    () => view.has("a"),
    () => view.getMany(["a"]),
    () => view.range().all(),
    () => view.count(),
    () => view.history("a"),
    () => inKeyspace.get("a"),
    () => inKeyspace.keys().first(),
    () => [...iterator],
  ];
  for (const use of uses) throws(use, "CLOSED", /view is closed/);
});

test("many views at once", async (t) => {
  const db = await inMemory(t);
  const views = [];
  for (let n = 0; n < 400; n++) {
    await db.set("n", n);
    views.push(db.snapshotView());
  }
  db.collectGarbage();
  for (const [n, view] of views.entries()) assert.equal(view.get("n"), n);
  for (const view of views) view.close();
  db.collectGarbage();
  assert.equal(db.stats().versions, 1);
});

test("wrong arguments throw at once", async (t) => {
  const db = await inMemory(t, { history: true });
  for (const time of [undefined, null, "2026-01-01", {}, NaN, new Date(NaN), 5n])
    throws(() => db.asOf(time), "INVALID_ARGUMENT");
  for (const version of [undefined, null, "1", -1, 1.5, NaN, Infinity, 2 ** 53])
    throws(() => db.at(version), "INVALID_ARGUMENT");
});
