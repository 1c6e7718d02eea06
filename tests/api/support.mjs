// What the tests of the API share: databases that are gone after their test, and checks of errors by their code.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as selkie from "../../pkg/dist/node.js";

export { selkie };
export const { open, SelkieError } = selkie;

/** Directories are removed when the process ends, after everything that has them open. */
const directories = [];
process.on("exit", () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

export function temporary() {
  const directory = mkdtempSync(path.join(tmpdir(), "selkie-api-"));
  directories.push(directory);
  return directory;
}

/** Runs a script, which has `open`, in a process of its own, and returns what it printed. */
export function runApart(script) {
  const module = JSON.stringify(new URL("../../pkg/dist/node.js", import.meta.url).href);
  const text = `import { open } from ${module};\n${script}`;
  return execFileSync(process.execPath, ["--input-type=module", "--eval", text], { encoding: "utf8", timeout: 20_000 });
}

let names = 0;

/** A database in memory that is closed after the test. */
export async function inMemory(t, options = {}) {
  const db = await open(`memory-${names++}`, { storage: "memory", ...options });
  t.after(() => db.close());
  return db;
}

/** A database in a directory of its own that is closed after the test. */
export async function inFiles(t, options = {}) {
  const directory = options.directory ?? temporary();
  const db = await open("db", { directory, ...options });
  t.after(() => db.close());
  return db;
}

function matches(code, message, details) {
  return (error) => {
    assert.ok(error instanceof SelkieError, `${error?.stack ?? error} is no SelkieError`);
    assert.equal(error.name, "SelkieError");
    assert.equal(error.code, code, error.message);
    if (message) assert.match(error.message, message);
    for (const [name, value] of Object.entries(details ?? {})) assert.deepEqual(error[name], value, name);
    return true;
  };
}

/** Checks that a call throws at once, and does not return a promise that rejects. */
export function throws(call, code, message, details) {
  assert.throws(
    () => {
      const result = call();
      if (result instanceof Promise) result.catch(() => {});
    },
    matches(code, message, details),
  );
}

/** Checks that a promise rejects; a function that throws at once does not pass. */
export async function rejects(promise, code, message, details) {
  const made = typeof promise === "function" ? promise() : promise;
  assert.ok(made instanceof Promise);
  await assert.rejects(made, matches(code, message, details));
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Fails rather than waits for ever. */
export async function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until a condition holds. */
export async function until(condition, ms = 5000) {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`it did not come to be within ${ms} ms: ${condition}`);
    await sleep(5);
  }
}
