import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inFiles, inMemory, open, rejects, selkie, sleep, temporary, throws, until, within } from "./support.mjs";

const { databases, destroy } = selkie;

test("what is written is there after opening again", async () => {
  const directory = temporary();
  const first = await open("db", { directory });
  assert.deepEqual([first.name, first.mode, first.readOnly, first.closed], ["db", "file", false, false]);
  assert.equal(first.recovery.created, true);
  await first.set("a", { n: 1 });
  await first.close();
  assert.equal(first.closed, true);
  const second = await open("db", { directory });
  const { created, framesReplayed, bytesCut, ignoredFiles, durationMs } = second.recovery;
  assert.deepEqual(
    { created, framesReplayed, bytesCut, ignoredFiles },
    { created: false, framesReplayed: 1, bytesCut: 0, ignoredFiles: [] },
  );
  assert.ok(durationMs >= 0);
  assert.deepEqual(second.get("a"), { n: 1 });
  assert.equal(second.version, 1);
  await second.close();
});

test("a checkpoint spares the log when opening", async () => {
  const directory = temporary();
  const first = await open("db", { directory });
  for (let n = 0; n < 100; n++) first.set(`k${n}`, n);
  const { version, entries, bytes } = await first.checkpoint();
  assert.deepEqual([version, entries], [100, 100]);
  assert.equal(first.stats().snapshotVersion, 100);
  assert.ok(bytes > 100);
  await first.set("after", 1);
  await first.close();
  const second = await open("db", { directory });
  assert.equal(second.recovery.snapshotEntries, 100);
  assert.equal(second.recovery.framesReplayed, 1);
  assert.equal(second.count(), 101);
  await second.close();
});

test("a second open of one place is LOCKED, in whatever way it is written", async (t) => {
  const directory = temporary();
  await inFiles(t, { directory });
  await rejects(open("db", { directory }), "LOCKED", /open elsewhere/);
  await rejects(open("db", { directory: `${directory}/x/..` }), "LOCKED");
  await rejects(open("db", { directory: path.relative(process.cwd(), directory) }), "LOCKED");
  const other = await open("other", { directory });
  await other.close();
});

test("of many that open at once one gets it", async () => {
  const directory = temporary();
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => open("db", { directory })));
  const opened = results.filter(({ status }) => status === "fulfilled");
  assert.equal(opened.length, 1);
  for (const { reason } of results.filter(({ status }) => status === "rejected")) assert.equal(reason.code, "LOCKED");
  await opened[0].value.close();
});

test("of the workers of a cluster one gets it", async () => {
  const script = fileURLToPath(new URL("cluster.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, temporary()]);
  assert.deepEqual(stdout.trim().split("\n").sort(), ["LOCKED", "open"]);
});

test("tabs: wait waits for the one before, in turn, or for a signal", async () => {
  const directory = temporary();
  const first = await open("db", { directory });
  await rejects(open("db", { directory, tabs: "wait", signal: AbortSignal.timeout(50) }), "ABORTED");
  await rejects(open("db", { directory, tabs: "wait", signal: AbortSignal.abort() }), "ABORTED");
  const second = open("db", { directory, tabs: "wait" });
  await sleep(50);
  await first.set("a", 1);
  await first.close();
  const db = await within(5000, second);
  assert.equal(db.get("a"), 1);
  await db.close();
});

test("read-only follows the writer, and refuses to write", async (t) => {
  const directory = temporary();
  const writer = await inFiles(t, { directory });
  await writer.set("a", 1);
  writer.keyspace("k").set("x", 1);
  const reader = await inFiles(t, { directory, tabs: "read-only" });
  assert.deepEqual([reader.readOnly, reader.get("a"), reader.keyspace("k").get("x")], [true, 1, 1]);
  const heard = [];
  const stop = reader.watch({}, (changes) => heard.push(...changes.map(({ key, value }) => [key, value])));
  await writer.set("b", 2);
  await until(() => reader.get("b") === 2);
  await until(() => heard.length === 1);
  assert.deepEqual(heard, [["b", 2]]);
  stop();
  await writer.set("c", 3);
  assert.equal(await reader.refresh(), writer.version);
  assert.equal(reader.get("c"), 3);
  for (const write of [
    () => reader.set("a", 2),
    () => reader.delete("a"),
    () => reader.batch([]),
    () => reader.begin(),
  ])
    throws(write, "READ_ONLY");
  for (const write of [
    () => reader.update(() => 1),
    () => reader.sync(),
    () => reader.checkpoint(),
    () => reader.dropKeyspace("k"),
  ]) {
    await rejects(write(), "READ_ONLY");
  }
  throws(() => reader.keyspace("new"), "KEYSPACE_NOT_FOUND");
  assert.equal(reader.begin({ mode: "read" }).get("c"), 3);
  const blob = await reader.export();
  assert.ok(blob.size > 0);
});

test("read-only of what is not there is NOT_FOUND, and creates nothing", async () => {
  const directory = temporary();
  await rejects(open("db", { directory, tabs: "read-only" }), "NOT_FOUND");
  assert.deepEqual(readdirSync(directory), []);
});

test("databases are listed, and destroyed unless they are open", async () => {
  const directory = temporary();
  mkdirSync(path.join(directory, "no database"));
  writeFileSync(path.join(directory, "file"), "");
  for (const name of ["b", "a", "ü"]) await (await open(name, { directory })).close();
  assert.deepEqual(
    await databases({ directory }),
    ["a", "b", "ü"].map((name) => ({ name, mode: "file" })),
  );
  const db = await open("a", { directory });
  await rejects(destroy("a", { directory }), "LOCKED");
  await db.close();
  assert.equal(await destroy("a", { directory }), true);
  assert.equal(await destroy("a", { directory }), false);
  assert.equal(existsSync(path.join(directory, "a")), false);
  assert.deepEqual(
    (await databases({ directory })).map(({ name }) => name),
    ["b", "ü"],
  );
  assert.deepEqual(await databases({ directory: path.join(directory, "none") }), []);
});

test("destroy leaves files that are not the database's", async () => {
  const directory = temporary();
  await (await open("db", { directory })).close();
  writeFileSync(path.join(directory, "db/notes.txt"), "mine");
  assert.equal(await destroy("db", { directory }), true);
  assert.deepEqual(readdirSync(path.join(directory, "db")), ["notes.txt"]);
});

test("memory is nobody else's and gone after closing", async () => {
  const [one, two] = [await open("m", { storage: "memory" }), await open("m", { storage: "memory" })];
  await one.set("a", 1);
  assert.equal(two.get("a"), undefined);
  assert.equal(one.mode, "memory");
  await Promise.all([one.close(), two.close()]);
  const again = await open("m", { storage: "memory" });
  assert.equal(again.has("a"), false);
  await again.close();
});

test("a closed database says so in everything, and closing again is nothing", async (t) => {
  const db = await open("closed", { storage: "memory" });
  const keyspace = db.keyspace("k");
  const view = db.snapshotView();
  const [tx, writing] = [db.begin(), db.begin()];
  writing.set("a", 1);
  for (let n = 0; n < 300; n++) db.set(`k${n}`, n);
  const iterator = db.keys()[Symbol.iterator]();
  iterator.next();
  const closing = db.close();
  throws(() => db.get("a"), "CLOSED");
  await closing;
  await db.close();
  await db[Symbol.asyncDispose]?.();
  const uses = [
    () => db.get("a"),
    () => db.has("a"),
    () => db.getMany([]),
    () => db.range().all(),
    () => db.keys().first(),
    () => db.count(),
    () => db.prefix("a").all(),
    () => db.history("a"),
    () => db.set("a", 1),
    () => db.delete("a"),
    () => db.batch([]),
    () => db.begin(),
    () => db.begin({ mode: "read" }),
    () => db.asOf(0),
    () => db.at(0),
    () => db.snapshotView(),
    () => db.keyspace("k"),
    () => db.keyspaces(),
    () => db.watch({}, () => {}),
    () => db.changes(),
    () => db.collectGarbage(),
    () => db.stats(),
    () => db.export(),
    () => db.exportStream(),
    () => db.version,
    () => db.durableVersion,
    () => db.recovery,
    () => keyspace.get("a"),
    () => keyspace.set("a", 1),
    () => view.get("a"),
    () => view.range().all(),
    () => tx.get("a"),
    () => tx.set("a", 1),
    () => [...iterator],
  ];
  for (const use of uses) throws(use, "CLOSED");
  for (const use of [
    () => db.update(() => 1),
    () => db.sync(),
    () => db.checkpoint(),
    () => db.storage(),
    () => db.refresh(),
    () => db.dropKeyspace("k"),
    () => writing.commit(),
  ]) {
    await rejects(use, "CLOSED");
  }
  view.close();
  tx.abort();
  assert.equal(db.closed, true);
});

test("commits that are under way when the database is closed are finished first", async () => {
  const directory = temporary();
  const db = await open("db", { directory });
  const commits = Array.from({ length: 1000 }, (_, n) => db.set(`k${n}`, n));
  await db.close();
  assert.equal((await Promise.all(commits)).at(-1).version, 1000);
  const again = await open("db", { directory });
  assert.equal(again.count(), 1000);
  await again.close();
});

test("await using closes", { skip: Symbol.asyncDispose === undefined }, async () => {
  const db = await open("using", { storage: "memory" });
  await db[Symbol.asyncDispose]();
  assert.equal(db.closed, true);
  const other = await open("using", { storage: "memory" });
  const view = other.snapshotView();
  view[Symbol.dispose]();
  throws(() => view.get("a"), "CLOSED");
  await other.close();
});

test("storage and statistics", async (t) => {
  const db = await inFiles(t);
  await db.set("a", "x".repeat(1000));
  const storage = await db.storage();
  assert.equal(storage.mode, "file");
  assert.ok(storage.usage >= 1000 && storage.quota > storage.usage);
  assert.equal(typeof storage.persisted, "boolean");
  assert.equal(typeof (await db.requestPersistence()), "boolean");
  assert.equal(typeof (await selkie.requestPersistence()), "boolean");
  const stats = db.stats();
  assert.deepEqual([stats.keys, stats.versions, stats.version, stats.durableVersion, stats.readers], [1, 1, 1, 1, 0]);
  assert.ok(stats.logBytes > 1000 && stats.logSyncs >= 1 && stats.liveBytes > 1000);
  assert.deepEqual([stats.poisoned, stats.snapshotError, stats.snapshotFailures], [undefined, undefined, 0]);
});

test("a commit with the visibility durable is told when it is seen", async (t) => {
  const db = await inFiles(t, { visibility: "durable" });
  const commit = db.set("a", 1);
  const { version } = await commit;
  assert.equal(db.get("a"), 1);
  assert.ok(db.version >= version && db.durableVersion >= version);
  for (let n = 0; n < 20; n++) await db.update((tx) => tx.set("n", (tx.get("n") ?? 0) + 1));
  assert.equal(db.get("n"), 20);
});

test("a directory that cannot be written is an error with its cause", async () => {
  const directory = temporary();
  writeFileSync(path.join(directory, "db"), "a file in the way");
  await assert.rejects(
    open("db", { directory }),
    ({ code, message }) => ["IO", "UNAVAILABLE"].includes(code) && /EEXIST|ENOTDIR/.test(message),
  );
});

test("a damaged file is CORRUPTED, with its name and the place", async () => {
  const directory = temporary();
  const db = await open("db", { directory });
  for (let n = 0; n < 100; n++) await db.set(`k${n}`, "x".repeat(100));
  await db.close();
  const file = readdirSync(path.join(directory, "db")).find((name) => name.endsWith(".log"));
  const { readFileSync } = await import("node:fs");
  const bytes = readFileSync(path.join(directory, "db", file));
  bytes[2000] ^= 1;
  writeFileSync(path.join(directory, "db", file), bytes);
  await assert.rejects(open("db", { directory }), (error) => {
    assert.equal(error.code, "CORRUPTED");
    assert.equal(error.file, file);
    assert.ok(error.offset > 1000 && error.offset <= 2000);
    return true;
  });
  await rejects(open("db", { directory }), "CORRUPTED");
});

test("wrong arguments", async () => {
  const memory = { storage: "memory" };
  for (const name of [undefined, null, 1, "", "x".repeat(101), {}])
    await rejects(open(name, memory), "INVALID_ARGUMENT");
  for (const name of ["a/b", "..", ".hidden", "a\0b", "a\\b"])
    await rejects(open(name, { directory: temporary() }), "INVALID_ARGUMENT");
  const wrong = [
    null,
    1,
    "memory",
    { memory: true },
    { storage: "disk" },
    { storage: null },
    { durability: "safe" },
    { durability: null },
    { durability: { ms: 5 } },
    { durability: { intervalMs: "5" } },
    { visibility: "now" },
    { history: null },
    { history: "all" },
    { history: {} },
    { history: { versions: 0 } },
    { history: { versions: 1.5 } },
    { history: { ageMs: -1 } },
    { history: { versions: 1, ageMs: 1 } },
    { tabs: "both" },
    { signal: 1 },
    { snapshots: null },
    { snapshots: {} },
    { snapshots: { logBytes: "1" } },
    { snapshots: "always" },
    { limits: null },
    { limits: { bytes: 1 } },
    { limits: { attempts: -1 } },
    { limits: { watchBytes: NaN } },
    { directory: 5 },
    { worker: {} },
    { onLost: "x" },
    { keyEncoding: "json" },
    { valueEncoding: {} },
    { storage: "memory", tabs: "read-only" },
  ];
  for (const options of wrong) {
    const merged = typeof options === "object" && options !== null ? { ...memory, ...options } : options;
    await rejects(open("wrong", merged), "INVALID_ARGUMENT");
  }
  await rejects(open("x", { storage: "opfs" }), "UNAVAILABLE");
  for (const options of [null, { path: "x" }, { directory: 1 }]) {
    await rejects(databases(options), "INVALID_ARGUMENT");
    await rejects(destroy("x", options), "INVALID_ARGUMENT");
  }
  await rejects(destroy(""), "INVALID_ARGUMENT");
  await rejects(destroy("../x"), "INVALID_ARGUMENT");
});

test("an error that wrong options caused leaves nothing locked or written", async () => {
  const directory = temporary();
  for (const options of [{ durability: "x" }, { history: { versions: -1 } }, { limits: { attempts: "x" } }]) {
    await rejects(open("db", { directory, ...options }), "INVALID_ARGUMENT");
  }
  assert.deepEqual(readdirSync(directory), []);
  await (await open("db", { directory })).close();
});

test("a name that a file system cannot keep as it is is refused", async () => {
  const directory = temporary();
  for (const name of ["\ud800", "\u6f22".repeat(86)]) await rejects(open(name, { directory }), "INVALID_ARGUMENT");
  assert.deepEqual(readdirSync(directory), []);
});

test("a reader listens to the writer of its own directory", async (t) => {
  const [here, there] = [temporary(), temporary()];
  const other = await inFiles(t, { directory: there });
  const writer = await inFiles(t, { directory: here });
  for (let n = 0; n < 10; n++) await writer.set(`k${n}`, n);
  const reader = await inFiles(t, { directory: here, tabs: "read-only" });
  assert.deepEqual([reader.version, reader.count()], [writer.version, 10]);
  await other.set("k", 1);
  assert.equal(await reader.refresh(), writer.version);
});
