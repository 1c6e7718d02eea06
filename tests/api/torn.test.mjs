// An engine of which a call was torn off in the middle, as by running out of memory: it is not used any more.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inFiles, open, rejects, runApart, temporary, throws, within } from "./support.mjs";

/** Lets the next look at the clock, which a commit takes in the middle, fail as no clock does. */
function failNextClock(error) {
  const { now } = Date;
  Date.now = () => {
    Date.now = now;
    throw error;
  };
}

test("a call that was torn off is the last one", async (t) => {
  const directory = temporary();
  let lost;
  const db = await inFiles(t, { directory, onLost: (error) => (lost = error) });
  const other = await open("other", { storage: "memory" });
  await db.set("before", 1);
  const view = db.snapshotView();
  const next = db.changes()[Symbol.asyncIterator]().next();
  const underWay = Promise.allSettled([db.set("waiting", 2), db.sync(), next]);

  const stop = new Error("stopped");
  failNextClock(stop);
  throws(() => db.set("torn", 3), "LOST", /in the middle of a call/, { cause: stop });

  for (const { reason } of await within(5_000, underWay)) assert.equal(reason?.code, "LOST");
  assert.equal(lost.code, "LOST");
  throws(() => db.get("before"), "LOST");
  throws(() => view.get("before"), "LOST");
  throws(() => db.begin(), "LOST");
  throws(() => other.get("key"), "LOST");
  await rejects(open("another", { storage: "memory" }), "LOST");
  await within(5_000, db.close());

  // Another process finds the lock free, and whole commits.
  const script = `const db = await open("db", { directory: ${JSON.stringify(directory)} });
    console.log(JSON.stringify([db.get("before"), db.get("torn")]));
    await db.set("after", 4);`;
  assert.equal(runApart(script).trim(), "[1,null]");
});

test("torn where nobody called it: everybody is told, also after a listener that throws, and nothing else escapes", () => {
  const script = `
    const said = [];
    process.on("uncaughtException", (error) => said.push("uncaught: " + error.message));
    const first = await open("first", { directory: ${JSON.stringify(temporary())}, onLost: () => { throw new Error("of the listener"); } });
    const second = await open("second", { directory: ${JSON.stringify(temporary())}, onLost: ({ code }) => said.push("second " + code) });
    await Promise.all([first.set("key", 1), second.set("key", 1)]);
    // Older values are collected in a task of its own, which asks for the time.
    const setting = second.batch(["key", "other"].map((key) => ({ type: "set", key, value: 2 })));
    const { now } = performance;
    Performance.prototype.now = () => { Performance.prototype.now = now; throw new Error("no clock"); };
    // It is known to be durable by then, or not; but nobody waits for ever.
    await setting.catch(({ code }) => code);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const db of [first, second]) { try { db.get("key"); } catch ({ code }) { said.push(code); } }
    await Promise.all([first.close(), second.close()]);
    console.log(JSON.stringify(said));`;
  const expected = ["second LOST", "uncaught: of the listener", "LOST", "LOST"];
  assert.deepEqual(JSON.parse(runApart(script)), expected);
});
