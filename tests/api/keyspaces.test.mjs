import assert from "node:assert/strict";
import { test } from "node:test";
import { inFiles, inMemory, open, rejects, temporary, throws } from "./support.mjs";

test("keyspaces have keys of their own, and their names are listed", async (t) => {
  const db = await inMemory(t);
  assert.deepEqual(db.keyspaces(), ["default"]);
  const [users, posts] = [db.keyspace("users"), db.keyspace("posts")];
  await db.set("k", "in default");
  await users.set("k", "in users");
  assert.deepEqual([db.get("k"), users.get("k"), posts.get("k")], ["in default", "in users", undefined]);
  assert.deepEqual(db.keyspaces(), ["default", "posts", "users"]);
  assert.equal(users.name, "users");
  assert.equal(db.keyspace("default").get("k"), "in default");
});

test("a keyspace offers what the database does", async (t) => {
  const db = await inMemory(t, { history: true });
  const users = db.keyspace("users", { keyEncoding: "number", valueEncoding: "json" });
  await users.set(2, { name: "b" });
  await users.batch([
    { type: "set", key: 10, value: { name: "j" } },
    { type: "set", key: 1, value: { name: "a" } },
  ]);
  await users.delete(10);
  assert.deepEqual(users.keys().all(), [1, 2]);
  assert.deepEqual(users.getMany([1, 10]), [{ name: "a" }, undefined]);
  assert.equal(users.count({ gte: 2 }), 1);
  assert.equal(users.history(10).length, 2);
  const view = db.snapshotView();
  await users.set(1, { name: "z" });
  assert.deepEqual(view.keyspace(users).get(1), { name: "a" });
  assert.deepEqual(view.keyspace(users).history(1).length, 1);
  view.close();
});

test("one keyspace through several handles with encodings of their own", async (t) => {
  const db = await inMemory(t);
  const [bytes, text] = ["binary", "utf8"].map((encoding) =>
    db.keyspace("k", { keyEncoding: encoding, valueEncoding: encoding }),
  );
  await text.set("é", "ü");
  assert.deepEqual(bytes.range().all(), [[new TextEncoder().encode("é"), new TextEncoder().encode("ü")]]);
  await bytes.set(Uint8Array.of(97), Uint8Array.of(98));
  assert.equal(text.get("a"), "b");
});

test("keyspaces are there again after opening", async (t) => {
  const directory = temporary();
  const first = await open("db", { directory });
  await first.keyspace("users").set("a", 1);
  first.keyspace("empty");
  await first.close();
  const second = await inFiles(t, { directory });
  assert.deepEqual(second.keyspaces(), ["default", "empty", "users"]);
  assert.equal(second.keyspace("users").get("a"), 1);
});

test("a dropped keyspace is gone, and neither reading nor writing through an old handle brings it back", async (t) => {
  const db = await inMemory(t);
  const users = db.keyspace("users");
  await users.set("a", 1);
  const view = db.snapshotView();
  const tx = db.begin();
  const inTransaction = tx.keyspace(users);
  await db.dropKeyspace("users");
  assert.deepEqual(db.keyspaces(), ["default"]);
  for (const use of [
    () => users.get("a"),
    () => users.range().all(),
    () => users.count(),
    () => users.set("a", 2),
    () => users.delete("a"),
    () => users.batch([]),
    () => users.watch({}, () => {}),
    () => inTransaction.set("a", 2),
  ]) {
    throws(use, "KEYSPACE_NOT_FOUND", /users/, { keyspace: "users" });
  }
  assert.deepEqual(db.keyspaces(), ["default"]);
  tx.abort();
  view.close();
  await rejects(db.dropKeyspace("users"), "KEYSPACE_NOT_FOUND");
  const again = db.keyspace("users");
  assert.equal(again.count(), 0);
  await again.set("b", 1);
  assert.deepEqual(users.keys().all(), ["b"]);
});

test("a transaction that wrote into a keyspace that was dropped meanwhile does not commit", async (t) => {
  const db = await inMemory(t);
  const users = db.keyspace("users");
  const tx = db.begin();
  tx.set("a", 1);
  tx.keyspace(users).set("a", 1);
  await db.dropKeyspace("users");
  await assert.rejects(tx.commit(), ({ code }) => code === "KEYSPACE_NOT_FOUND" || code === "CONFLICT");
  assert.equal(db.has("a"), false);
});

test("keyspaces that come and go give their memory back", async (t) => {
  const db = await inMemory(t, { valueEncoding: "utf8" });
  const round = async (n) => {
    const keyspace = db.keyspace(`k${n}`, { valueEncoding: "utf8" });
    await keyspace.set("a", "x".repeat(4 << 20));
    await db.dropKeyspace(`k${n}`);
  };
  for (let n = 0; n < 5; n++) await round(n);
  const before = db.stats().wasmMemoryBytes;
  for (let n = 5; n < 40; n++) await round(n);
  const after = db.stats().wasmMemoryBytes;
  assert.ok(after - before < 40 << 20, `${(after - before) >> 20} MiB more`);
});

test("wrong arguments throw at once", async (t) => {
  const db = await inMemory(t);
  for (const name of [undefined, null, 1, {}, "", "\ud800", "x".repeat(256)]) {
    throws(() => db.keyspace(name), "INVALID_ARGUMENT");
    if (typeof name !== "string" || name === "\ud800") await rejects(db.dropKeyspace(name), "INVALID_ARGUMENT");
  }
  for (const options of [
    null,
    1,
    { encoding: "utf8" },
    { keyEncoding: "json" },
    { valueEncoding: "number" },
    { keyEncoding: {} },
  ]) {
    throws(() => db.keyspace("k", options), "INVALID_ARGUMENT");
  }
  await rejects(db.dropKeyspace("default"), "INVALID_ARGUMENT");
  assert.deepEqual(db.keyspaces(), ["default"]);
});

test("a view, a transaction or a range never goes on in a keyspace that takes the place of its own", async (t) => {
  const db = await inMemory(t, { history: true });
  const users = db.keyspace("users");
  for (let n = 0; n < 300; n++) users.set(`u${n}`, n);
  const readers = [db.snapshotView(), db.begin()].map((reader) => reader.keyspace(users));
  const range = users.keys()[Symbol.iterator]();
  range.next();
  await db.dropKeyspace("users");
  await db.keyspace("users").set("u0", "another");
  for (const reader of readers) throws(() => reader.get("u0"), "KEYSPACE_NOT_FOUND");
  throws(() => [...range], "KEYSPACE_NOT_FOUND");
  assert.equal(users.get("u0"), "another");
});
