// Processes that are killed: what they were told is durable is there, and what they locked is free.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { open, rejects, sleep, temporary, within } from "./support.mjs";

const KILLS = 8;
const module = JSON.stringify(new URL("../../pkg/dist/node.js", import.meta.url).href);

/** Runs a script in a process of its own; `lines` are what it printed. */
function run(script, directory) {
  const prelude = `import { open } from ${module}; const directory = ${JSON.stringify(directory)};`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", prelude + script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = [];
  const reader = createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const ended = once(reader, "close");
  const says = async (text) => {
    while (!lines.includes(text)) {
      assert.equal(child.exitCode, null, `it ended before it said ${text}`);
      await sleep(2);
    }
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  const tell = (text) => child.stdin.write(text);
  return { lines, says, tell, kill, ended };
}

// Each commit writes two keys that must agree; each number is printed when its promise resolved.
const WRITER = `
  import { writeSync } from "node:fs";
  const db = await open("db", { directory, durability: DURABILITY });
  const start = db.get("n") ?? 0;
  writeSync(1, "open\\n");
  for (let n = start + 1; ; n++) {
    const done = db.batch([
      { type: "set", key: "n", value: n },
      { type: "set", key: "twin", value: n },
      { type: "set", key: "item-" + n, value: "x".repeat(n % 500) },
    ]);
    done.then(() => writeSync(1, n + "\\n"));
    if (n % 7 === 0) await done;
    if (n % 500 === 0) db.checkpoint().catch(() => {});
  }
`;

for (const durability of ["immediate", "buffered"]) {
  test(`killed while it commits: what was acknowledged as ${durability} is there, and whole`, async () => {
    const directory = temporary();
    for (let kill = 0; kill < KILLS; kill++) {
      const writer = run(WRITER.replace("DURABILITY", JSON.stringify(durability)), directory);
      await within(20_000, writer.says("open"));
      await sleep(20 + kill * 25);
      await writer.kill();
      const acknowledged = Math.max(0, ...writer.lines.filter((line) => line !== "open").map(Number));
      const db = await open("db", { directory });
      const n = db.get("n") ?? 0;
      assert.ok(n >= acknowledged, `kill ${kill}: ${n} there, ${acknowledged} acknowledged`);
      assert.equal(db.get("twin") ?? 0, n);
      assert.equal(db.count({ gte: "item-", lt: "item." }), n);
      await db.close();
    }
    const db = await open("db", { directory });
    assert.ok(db.get("n") > 0, "nothing was ever written");
    await db.close();
  });
}

test("another process's database is LOCKED, waited for, and free when that process is killed", async () => {
  const directory = temporary();
  const holder = run(
    `const db = await open("db", { directory }); await db.set("a", 1); console.log("open"); setInterval(() => {}, 1000);`,
    directory,
  );
  await within(20_000, holder.says("open"));
  await rejects(open("db", { directory }), "LOCKED");
  await rejects(open("db", { directory, tabs: "wait", signal: AbortSignal.timeout(100) }), "ABORTED");
  const waiting = open("db", { directory, tabs: "wait" });
  await sleep(50);
  await holder.kill();
  const db = await within(10_000, waiting);
  assert.equal(db.get("a"), 1);
  await db.close();
});

test("another process's database can be read, and read again", async () => {
  const directory = temporary();
  const script = `
    const db = await open("db", { directory });
    await db.set("a", 1);
    console.log("first");
    process.stdin.once("data", async () => { await db.set("a", 2); console.log("second"); });
  `;
  const holder = run(script, directory);
  await within(20_000, holder.says("first"));
  const reader = await open("db", { directory, tabs: "read-only" });
  assert.equal(reader.get("a"), 1);
  holder.tell("go on");
  await within(20_000, holder.says("second"));
  await reader.refresh();
  assert.equal(reader.get("a"), 2);
  await reader.close();
  await holder.kill();
});

test("an open database keeps no process running, and one that is not closed is whole", async () => {
  const directory = temporary();
  const script = `
    const db = await open("db", { directory });
    db.watch({}, () => {});
    db.changes().next();
    await db.set("a", 1);
    console.log("done");
  `;
  const child = run(script, directory);
  await within(20_000, child.ended);
  assert.deepEqual(child.lines, ["done"]);
  const db = await open("db", { directory });
  assert.equal(db.get("a"), 1);
  await db.close();
});
