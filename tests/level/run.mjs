// Runs abstract-level's public suite on the built package: `node tests/level/run.mjs [node|chromium]`, or both.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const built = path.join(here, "../../pkg");
const places = process.argv[2] === undefined ? ["node", "chromium"] : [process.argv[2]];

/** Fewer than this would mean that the suite did not run to its end. */
const LEAST_ASSERTIONS = 5000;

function prepare() {
  if (!existsSync(path.join(built, "dist/level.js")))
    throw new Error("there is no pkg/dist/level.js: run `cargo xtask package`");
  const modules = path.join(here, "node_modules");
  if (!existsSync(path.join(modules, "tape")))
    execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: here, stdio: "inherit" });
  // A copy, not a link, so that the adapter finds abstract-level where a user's installation has it.
  rmSync(path.join(modules, "selkie"), { recursive: true, force: true });
  cpSync(built, path.join(modules, "selkie"), { recursive: true });
}

function check(place, storage, { passed, failures, databases, missing }, started) {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const left = missing.length === 0 ? "" : ` (not supported: ${missing.join(", ")})`;
  const counts = `${passed} assertions passed, ${failures.length} failed, ${databases} databases`;
  console.log(`${place}, ${storage}: ${counts}, ${seconds} s${left}`);
  for (const failure of failures) console.log(`  ${failure}`);
  if (failures.length > 0 || passed < LEAST_ASSERTIONS) process.exitCode = 1;
}

async function runInNode() {
  const { runSuite } = await import("./suite.mjs");
  for (const storage of ["memory", "file"]) {
    const directory = mkdtempSync(path.join(tmpdir(), "selkie-level-"));
    const started = performance.now();
    try {
      check("node", storage, await runSuite(storage === "file" ? { storage, directory } : { storage }), started);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

async function runInChromium() {
  const { openPage } = await import("./chromium.mjs");
  for (const storage of ["memory", "indexeddb", "opfs"]) {
    const started = performance.now();
    check("chromium", storage, await openPage(storage), started);
  }
}

prepare();
if (!places.every((place) => ["node", "chromium"].includes(place))) throw new Error("the places are node and chromium");
if (places.includes("node")) await runInNode();
if (places.includes("chromium")) await runInChromium();
