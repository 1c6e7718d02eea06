// An engine of which a call was torn off in the middle, as by running out of memory: it is not used any more.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { inFiles, open, rejects, temporary, throws, within } from "./support.mjs";

/** Runs a script in a process of its own, and returns what it printed. */
function runApart(script) {
  const module = JSON.stringify(new URL("../../pkg/dist/node.js", import.meta.url).href);
  const text = `import { open } from ${module};\n${script}`;
  return execFileSync(process.execPath, ["--input-type=module", "--eval", text], { encoding: "utf8", timeout: 20_000 });
}

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
