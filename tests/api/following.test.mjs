/** A reader whose files were replaced: another process wrote snapshots while it did not look. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { SelkieError, inFiles, runApart, temporary, throws, until } from "./support.mjs";

/** Runs statements with a writer `db` in a process of its own, which tells nobody what it commits. */
function write(directory, statements) {
  const options = JSON.stringify({ directory, history: true });
  runApart(`const db = await open("db", ${options}); ${statements}; await db.close();`);
}

const REPLACE = "await db.set('b', 1); await db.checkpoint(); await db.set('c', 1); await db.checkpoint();";

async function replaced(t) {
  const directory = temporary();
  write(directory, "for (let n = 0; n < 1000; n++) db.set('a' + n, n); db.keyspace('x'); db.keyspace('y').set('k', 'y');");
  return { directory, reader: await inFiles(t, { directory, tabs: "read-only" }) };
}

test("views, transactions and ranges that a reader has open are read on, in their own keyspaces", async (t) => {
  const { directory, reader } = await replaced(t);
  const view = reader.snapshotView();
  const [transaction, past] = [reader.begin({ mode: "read" }), reader.at(2)];
  const range = reader.keys()[Symbol.iterator]();
  range.next();
  write(directory, REPLACE);
  await reader.refresh();
  assert.equal(reader.count(), 1002);
  assert.deepEqual([view.count(), transaction.count(), past.count()], [1000, 1000, 1]);
  assert.equal([...range].length, 999);
  const y = reader.keyspace("y");
  assert.deepEqual([y.get("k"), view.keyspace(y).get("k"), view.keyspace(reader.keyspace("x")).get("k")], ["y", "y", undefined]);
});

test("watches and changes of a reader miss nothing", async (t) => {
  const { directory, reader } = await replaced(t);
  const [heard, changed] = [[], []];
  reader.watch({}, (changes) => heard.push(...changes.map(({ key }) => key)), (error) => heard.push(error));
  const ending = (async () => {
    for await (const { changes } of reader.changes({ prefix: "c" })) changed.push(...changes.map(({ key }) => key));
  })();
  write(directory, REPLACE);
  await reader.refresh();
  write(directory, `${REPLACE} await db.set("d", 1);`);
  await reader.refresh();
  await until(() => heard.includes("d"));
  assert.deepEqual([heard, changed], [["b", "c", "b", "c", "d"], ["c", "c"]]);
  const ended = assert.rejects(ending, (error) => error instanceof SelkieError && error.code === "CLOSED");
  await reader.close();
  await ended;
});

test("a reader's watch of a keyspace that is dropped ends with an error of that, and of that alone", async (t) => {
  const { directory, reader } = await replaced(t);
  const next = reader.keyspace("x").changes()[Symbol.asyncIterator]().next();
  const ending = assert.rejects(next, ({ code }) => code === "KEYSPACE_NOT_FOUND");
  write(directory, `await db.dropKeyspace("x"); ${REPLACE}`);
  await reader.refresh();
  await ending;
  assert.equal(reader.has("a0"), true);
});

test("a reader comes to a keyspace that was dropped and created anew", async (t) => {
  const { directory, reader } = await replaced(t);
  const y = reader.keyspace("y");
  const view = reader.snapshotView().keyspace(y);
  write(directory, "await db.dropKeyspace('y'); await db.keyspace('y').set('new', 1);");
  await reader.refresh();
  assert.deepEqual(y.keys().all(), ["new"]);
  throws(() => view.get("k"), "KEYSPACE_NOT_FOUND");
});
