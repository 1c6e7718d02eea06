import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { inFiles, inMemory, open, rejects, sleep, temporary, throws, until, within } from "./support.mjs";

/** What a listener hears, in short. */
function recorder() {
  const heard = [];
  const listener = (changes, { version }) =>
    heard.push([version, ...changes.map(({ type, key, value }) => (type === "set" ? [key, value] : [key]))]);
  return { heard, listener };
}

const short = ({ version, changes }) => [
  version,
  ...changes.map(({ type, key, value }) => (type === "set" ? [key, value] : [key])),
];

async function collect(changes, count) {
  const rows = [];
  for await (const row of changes) if (rows.push(short(row)) === count) break;
  return rows;
}

test("watch hears what is committed in a range, commit by commit, once", async (t) => {
  const db = await inMemory(t);
  const all = recorder();
  const some = recorder();
  const bounded = recorder();
  const stops = [
    db.watch({}, all.listener),
    db.watch({ prefix: "u:" }, some.listener),
    db.watch({ gt: "a", lte: "b" }, bounded.listener),
  ];
  db.set("u:1", 1);
  db.set("a", 2);
  db.batch([
    { type: "set", key: "u:2", value: 3 },
    { type: "delete", key: "b" },
    { type: "delete", key: "u:1" },
  ]);
  await db.update((tx) => tx.set("b", 4));
  await until(() => all.heard.length === 4);
  assert.deepEqual(all.heard, [
    [1, ["u:1", 1]],
    [2, ["a", 2]],
    [3, ["b"], ["u:1"], ["u:2", 3]],
    [4, ["b", 4]],
  ]);
  assert.deepEqual(some.heard, [
    [1, ["u:1", 1]],
    [3, ["u:1"], ["u:2", 3]],
  ]);
  assert.deepEqual(bounded.heard, [
    [3, ["b"]],
    [4, ["b", 4]],
  ]);
  for (const stop of stops) stop();
  await db.set("b", 5);
  await sleep(20);
  assert.equal(all.heard.length, 4);
  for (const stop of stops) stop();
});

test("a change names its keyspace, and its commit's time", async (t) => {
  const db = await inMemory(t);
  const users = db.keyspace("users", { keyEncoding: "number" });
  const heard = [];
  const stop = users.watch({}, (changes, at) => heard.push([changes, at]));
  const before = Date.now();
  await db.set("elsewhere", 1);
  const { version } = await users.set(7, "x");
  await until(() => heard.length > 0);
  const [[changes, at]] = heard;
  assert.deepEqual(changes, [{ keyspace: "users", key: 7, type: "set", value: "x" }]);
  assert.equal(at.version, version);
  assert.ok(at.time instanceof Date && Math.abs(at.time - before) < 1000);
  stop();
  assert.equal(heard.length, 1);
});

test("a listener may stop its watch, write, and watch again", async (t) => {
  const db = await inMemory(t);
  let calls = 0;
  const stop = db.watch({ prefix: "n" }, ([{ value }]) => {
    calls++;
    if (value === 3) stop();
    else db.set("n", value + 1);
  });
  db.set("n", 1);
  await until(() => db.get("n") === 3);
  await db.set("n", 9);
  await sleep(20);
  assert.equal(calls, 3);
});

test("a watch that falls behind ends with LAGGED, and changes go on from there", async (t) => {
  const db = await inMemory(t, { limits: { watchBytes: 2000 }, history: true });
  const errors = [];
  const heard = [];
  db.watch(
    {},
    ([{ value }]) => heard.push(value),
    (error) => errors.push(error),
  );
  await db.set("n", 0);
  await until(() => heard.length === 1);
  for (let n = 1; n < 1000; n++) db.set("n", n);
  await until(() => errors.length > 0);
  assert.equal(errors.length, 1);
  assert.equal(errors[0].code, "LAGGED");
  for await (const {
    changes: [{ value }],
  } of db.changes({ since: errors[0].version, live: false }))
    heard.push(value);
  assert.deepEqual(
    heard,
    Array.from({ length: 1000 }, (_, n) => n),
  );
});

test("changes that fall behind throw LAGGED, and go on from there", async (t) => {
  const db = await inFiles(t, { limits: { watchBytes: 2000 } });
  const changes = db.changes();
  for (let n = 1; n <= 1000; n++) db.set("n", n);
  const heard = [];
  let lagged;
  try {
    for await (const row of changes) heard.push(row.changes[0].value);
  } catch (error) {
    lagged = error;
  }
  assert.equal(lagged?.code, "LAGGED");
  for await (const row of db.changes({ since: lagged.version, live: false })) heard.push(row.changes[0].value);
  assert.deepEqual(
    heard,
    Array.from({ length: 1000 }, (_, n) => n + 1),
  );
  assert.equal((await changes.next()).done, true);
});

test("changes begin with the call, not with the first next", async (t) => {
  const db = await inMemory(t);
  await db.set("before", 0);
  const changes = db.changes();
  await db.set("a", 1);
  await db.set("b", 2);
  assert.deepEqual(short((await within(1000, changes.next())).value), [2, ["a", 1]]);
  assert.deepEqual(short((await within(1000, changes.next())).value), [3, ["b", 2]]);
  await changes.return();
});

test("changes since a version are all there are, and then those that come, without a gap or a double", async (t) => {
  const db = await inFiles(t);
  for (let n = 1; n <= 50; n++) await db.set("n", n);
  const changes = db.changes({ since: 20 });
  const values = [];
  const writing = (async () => {
    for (let n = 51; n <= 200; n++) {
      db.set("n", n);
      if (n % 10 === 0) await sleep(1);
    }
  })();
  for await (const {
    version,
    changes: [{ value }],
  } of changes) {
    assert.equal(version, value);
    if (values.push(value) === 180) break;
  }
  await writing;
  assert.deepEqual(
    values,
    Array.from({ length: 180 }, (_, index) => index + 21),
  );
});

test("changes of a range, of a keyspace, of the past only", async (t) => {
  const db = await inFiles(t);
  const users = db.keyspace("users");
  const since = db.version;
  await db.set("a", 1);
  await users.set("a", 2);
  await db.update((tx) => {
    tx.set("b", 3);
    tx.keyspace(users).set("b", 4);
  });
  await users.delete("a");
  assert.deepEqual(await collect(users.changes({ since, live: false })), [
    [since + 2, ["a", 2]],
    [since + 3, ["b", 4]],
    [since + 4, ["a"]],
  ]);
  assert.deepEqual(await collect(db.changes({ since, live: false, prefix: "b" })), [[since + 3, ["b", 3]]]);
  assert.deepEqual(await collect(db.changes({ since, live: false, gte: "a", lt: "b" })), [[since + 1, ["a", 1]]]);
  assert.deepEqual(await collect(db.changes({ live: false })), []);
  assert.deepEqual(await collect(db.changes({ since: db.version, live: false })), []);
});

test("changes are there after opening again, as far as the log goes back", async (t) => {
  const directory = temporary();
  const first = await open("db", { directory });
  await first.set("a", 1);
  await first.set("b", 2);
  await first.close();
  const second = await inFiles(t, { directory });
  await second.set("c", 3);
  assert.deepEqual(await collect(second.changes({ since: 0, live: false })), [
    [1, ["a", 1]],
    [2, ["b", 2]],
    [3, ["c", 3]],
  ]);
  await second.checkpoint();
  await second.set("d", 4);
  const after = await collect(second.changes({ since: 3, live: false })).catch((error) => error.code);
  assert.ok(after === "HISTORY_COLLECTED" || after.length === 1, String(after));
});

test("a signal ends changes, while they wait and between two", async (t) => {
  const db = await inMemory(t);
  const reason = new Error("enough");
  const waiting = new AbortController();
  const changes = db.changes({ signal: waiting.signal });
  const next = changes.next();
  waiting.abort(reason);
  await rejects(within(1000, next), "ABORTED", undefined, { cause: reason });
  assert.equal((await changes.next()).done, true);
  const between = new AbortController();
  const rows = db.changes({ signal: between.signal });
  await db.set("a", 1);
  await db.set("a", 2);
  await rows.next();
  between.abort();
  await rejects(rows.next(), "ABORTED");
  await rejects(db.changes({ signal: AbortSignal.abort() }).next(), "ABORTED");
  await rejects(db.changes({ since: 0, signal: AbortSignal.abort() }).next(), "ABORTED");
});

test("return ends changes that wait", async (t) => {
  const db = await inMemory(t);
  const changes = db.changes();
  const next = changes.next();
  await sleep(5);
  assert.deepEqual(await within(1000, changes.return()), { done: true, value: undefined });
  assert.deepEqual(await within(1000, next), { done: true, value: undefined });
  const unused = db.changes();
  assert.equal((await within(1000, unused.return())).done, true);
  assert.equal((await within(1000, unused.next())).done, true);
});

test("closing the database ends watches in silence, and changes with CLOSED", async () => {
  const db = await open("closing", { storage: "memory" });
  const errors = [];
  db.watch(
    {},
    () => {},
    (error) => errors.push(error),
  );
  const next = db.changes().next();
  await db.close();
  await rejects(within(1000, next), "CLOSED");
  await sleep(20);
  assert.deepEqual(errors, []);
});

test("a listener that throws is an uncaught error, and goes on", async () => {
  const script = `
    import { open } from ${JSON.stringify(new URL("../../pkg/dist/node.js", import.meta.url).href)};
    const caught = [];
    process.on("uncaughtException", (error) => caught.push(error.message));
    const db = await open("x", { storage: "memory", limits: { watchBytes: 100 } });
    let calls = 0;
    db.watch({ prefix: "a" }, () => { throw new Error("call " + ++calls); });
    await db.set("a", 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await db.set("a", 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (let n = 0; n < 100; n++) db.set("a", n);
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(JSON.stringify(caught));
    await db.close();
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  const caught = JSON.parse(stdout);
  assert.deepEqual(caught.slice(0, 2), ["call 1", "call 2"]);
  assert.match(caught.at(-1), /the watch fell behind/);
});

test("wrong arguments throw at once", async (t) => {
  const db = await inMemory(t);
  for (const range of [
    undefined,
    null,
    1,
    "a",
    { limit: 1 },
    { prefix: "a", gte: "b" },
    { gt: "a", gte: "b" },
    { since: 1 },
  ]) {
    throws(() => db.watch(range, () => {}), "INVALID_ARGUMENT");
  }
  for (const listener of [undefined, null, {}]) throws(() => db.watch({}, listener), "INVALID_ARGUMENT");
  throws(() => db.watch({ prefix: 1 }, () => {}), "ENCODING");
  for (const options of [
    null,
    1,
    { since: -1 },
    { since: "1" },
    { since: 1.5 },
    { live: "no" },
    { signal: {} },
    { limit: 1 },
  ]) {
    throws(() => db.changes(options), "INVALID_ARGUMENT");
  }
  throws(() => db.changes({ prefix: 1 }), "ENCODING");
  await rejects(db.changes({ since: 99 }).next(), "INVALID_ARGUMENT", /not committed yet/);
});
