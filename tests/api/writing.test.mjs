import assert from "node:assert/strict";
import { test } from "node:test";
import { inFiles, inMemory, rejects, throws } from "./support.mjs";

const LEVELS = [
  "none",
  "queued",
  "buffered",
  "immediate",
  { intervalMs: 5 },
  { intervalMs: 1000, commits: 10, bytes: 1000 },
];

test("a write is read at once, and its promise tells the version", async (t) => {
  const db = await inFiles(t);
  const first = db.set("a", 1);
  assert.equal(db.get("a"), 1);
  const second = db.set("a", 2);
  assert.equal(db.get("a"), 2);
  assert.equal(db.version, 2);
  assert.deepEqual(await first, { version: 1 });
  assert.deepEqual(await second, { version: 2 });
  const third = db.delete("a");
  assert.equal(db.has("a"), false);
  assert.deepEqual(await third, { version: 3 });
  assert.equal(db.durableVersion, 3);
});

test("deleting what is not there is a commit like others", async (t) => {
  const db = await inMemory(t);
  assert.deepEqual(await db.delete("none"), { version: 1 });
});

test("a batch is one commit, in its order, and all of it or nothing", async (t) => {
  const db = await inMemory(t);
  const commit = db.batch([
    { type: "set", key: "a", value: 1 },
    { type: "set", key: "a", value: 2 },
    { type: "delete", key: "b" },
    { type: "set", key: "b", value: 3 },
    { type: "set", key: "c", value: 4 },
    { type: "delete", key: "c" },
  ]);
  assert.deepEqual(db.range().all(), [
    ["a", 2],
    ["b", 3],
  ]);
  assert.deepEqual(await commit, { version: 1 });
  const operations = [
    { type: "set", key: "z", value: 1 },
    { type: "set", key: "y", value: undefined },
  ];
  throws(() => db.batch(operations), "ENCODING", /undefined, at value/);
  assert.equal(db.has("z"), false);
  assert.equal(db.version, 1);
  assert.deepEqual(await db.batch([]), { version: 1 });
});

test("a batch of text and bytes beyond ASCII, empty values, and many operations", async (t) => {
  const db = await inMemory(t, { valueEncoding: "utf8" });
  const entries = Array.from({ length: 2000 }, (_, index) => [
    `${index % 3 === 0 ? "é" : "e"}${String(index).padStart(5, "0")}`,
    index % 5 === 0 ? "" : "ü".repeat(index % 100),
  ]);
  await db.batch(entries.map(([key, value]) => ({ type: "set", key, value })));
  for (const [key, value] of entries) assert.equal(db.get(key), value);
  assert.equal(db.count(), 2000);
  await db.batch(entries.map(([key]) => ({ type: "delete", key })));
  assert.equal(db.count(), 0);
});

test("10,000 commits that nobody awaits come in order, in one group or few", async (t) => {
  const db = await inFiles(t);
  const versions = [];
  const all = Array.from({ length: 10_000 }, (_, index) =>
    db.set(`k${index}`, { index }).then(({ version }) => versions.push(version)),
  );
  assert.equal(db.count(), 10_000);
  await Promise.all(all);
  assert.deepEqual(
    versions,
    Array.from({ length: 10_000 }, (_, index) => index + 1),
  );
  const { logSyncs, queuedBytes } = db.stats();
  assert.ok(logSyncs < 100, `${logSyncs} syncs`);
  assert.equal(queuedBytes, 0);
});

test("every durability, for the database and for a write", async (t) => {
  for (const durability of LEVELS) {
    const db = await inFiles(t, { durability });
    const versions = [];
    for (const level of [undefined, ...LEVELS]) {
      const options = level === undefined ? undefined : { durability: level };
      versions.push((await db.set("a", 1, options)).version);
      versions.push((await db.delete("a", options)).version);
      versions.push((await db.batch([{ type: "set", key: "b", value: 2 }], options)).version);
      await db.update((tx) => tx.set("c", 3), options);
      const tx = db.begin(options);
      tx.set("d", 4);
      await tx.commit();
    }
    assert.deepEqual(
      versions.toSorted((a, b) => a - b),
      versions,
    );
    await db.sync();
    assert.equal(db.durableVersion, db.version);
  }
});

test("what is not JSON is refused at once, and is no commit", async (t) => {
  const db = await inMemory(t);
  const cycle = {};
  cycle.self = cycle;
  for (const value of [
    undefined,
    NaN,
    1n,
    new Date(),
    new Map(),
    () => 1,
    Symbol("s"),
    cycle,
    { a: { b: undefined } },
  ]) {
    throws(() => db.set("a", value), "ENCODING");
  }
  throws(() => db.set("a", { list: [1, { when: new Date() }] }), "ENCODING", /type Date, at value\.list\[1\]\.when/);
  await rejects(
    db.update((tx) => tx.set("a", NaN)),
    "ENCODING",
  );
  assert.equal(db.version, 0);
});

test("the limit on a transaction's bytes", async (t) => {
  const db = await inMemory(t, { limits: { transactionBytes: 1000 }, valueEncoding: "utf8" });
  throws(() => db.set("a", "x".repeat(2000)), "LIMIT", /at most 1000/);
  throws(
    () => db.batch(Array.from({ length: 20 }, (_, key) => ({ type: "set", key: `${key}`, value: "x".repeat(100) }))),
    "LIMIT",
  );
  const tx = db.begin();
  throws(() => {
    for (let key = 0; key < 20; key++) tx.set(`${key}`, "x".repeat(100));
  }, "LIMIT");
  tx.abort();
  assert.equal(db.count(), 0);
  await db.set("a", "x".repeat(900));
});

test("wrong arguments throw at once", async (t) => {
  const db = await inMemory(t);
  for (const options of [
    null,
    1,
    "buffered",
    { durabilty: "none" },
    { durability: "fast" },
    { durability: null },
    { durability: {} },
    { durability: { intervalMs: -1 } },
    { durability: { intervalMs: 5, commit: 1 } },
  ]) {
    throws(() => db.set("a", 1, options), "INVALID_ARGUMENT");
    throws(() => db.delete("a", options), "INVALID_ARGUMENT");
    throws(() => db.batch([], options), "INVALID_ARGUMENT");
  }
  for (const operations of [
    undefined,
    null,
    {},
    "ab",
    [null],
    [1],
    [{}],
    [{ type: "put", key: "a", value: 1 }],
    [{ type: "set", key: "a", value: 1 }, []],
  ]) {
    throws(() => db.batch(operations), "INVALID_ARGUMENT");
  }
  throws(() => db.batch([{ type: "set", key: 1, value: 1 }]), "ENCODING");
  throws(() => db.batch([{ type: "set", key: "a" }]), "ENCODING");
  throws(() => db.set(), "ENCODING");
  assert.equal(db.version, 0);
});

test("more than the engine can take at once is a limit, after which everything goes on", async (t) => {
  const db = await inMemory(t, { valueEncoding: "binary" });
  await db.set("before", new Uint8Array([1]));
  const value = new Uint8Array(240e6);
  const operations = Array.from({ length: 9 }, (_, n) => ({ type: "set", key: `k${n}`, value }));
  throws(() => db.batch(operations), "LIMIT");
  await db.set("after", new Uint8Array([2]));
  assert.deepEqual(db.keys().all(), ["after", "before"]);
});
