/**
 * Runs the tests in real browsers: `node tests/web/run.mjs [--browser chromium|firefox] [--kills N] [--only PATTERN] [name…]`.
 *
 * Without `--browser` it takes both. A name chooses the files that begin with it, a pattern the tests. The package must have
 * been built (`cargo xtask package`), and for the exchange with native databases the command line program.
 */

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const BROWSERS = ["chromium", "firefox"];
const FILE_LIMIT_MS = 600_000;

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { browser: { type: "string" }, kills: { type: "string" }, only: { type: "string" } },
  });
  if (values.browser && !BROWSERS.includes(values.browser)) throw new Error(`--browser takes ${BROWSERS.join(" or ")}, not ${values.browser}`);
  if (values.kills && !/^\d+$/.test(values.kills)) throw new Error(`--kills takes a count, not ${values.kills}`);
  return { browsers: values.browser ? [values.browser] : BROWSERS, kills: values.kills, only: values.only, names: positionals };
}

function testFiles(/** @type {string[]} */ names) {
  const all = readdirSync(here).filter((file) => file.endsWith(".test.mjs"));
  const chosen = all.filter((file) => names.length === 0 || names.some((name) => file.startsWith(name)));
  if (chosen.length === 0) throw new Error(`no tests are called ${names.join(", ")}; there are ${all.map((file) => file.split(".")[0]).join(", ")}`);
  return chosen.map((file) => here + file);
}

/** Installs the harness's one dependency unless the locked version of it is there. */
function installHarness() {
  const harness = `${here}harness`;
  const installed = `${harness}/node_modules/playwright-core/package.json`;
  const { dependencies } = JSON.parse(readFileSync(`${harness}/package.json`, "utf8"));
  if (existsSync(installed) && JSON.parse(readFileSync(installed, "utf8")).version === dependencies["playwright-core"]) return;
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: harness, stdio: "inherit" });
}

/** One file after the other, because what is measured in one would suffer from the others. */
async function runIn(/** @type {string} */ browser, /** @type {string[]} */ files, /** @type {string | undefined} */ only) {
  console.log(`\n== ${browser} ==`);
  process.env.SELKIE_WEB_BROWSER = browser;
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const stream = run({ files, concurrency: 1, timeout: FILE_LIMIT_MS, testNamePatterns: only });
  stream.on("test:pass", ({ details, skip }) => {
    if (details.type !== "suite") counts[skip === undefined ? "passed" : "skipped"] += 1;
  });
  stream.on("test:fail", ({ details }) => {
    if (details.type !== "suite") counts.failed += 1;
  });
  stream.compose(new spec()).pipe(process.stdout);
  await new Promise((resolve) => stream.once("end", resolve));
  return counts;
}

function checkBuilt() {
  const built = process.env.SELKIE_PKG ?? fileURLToPath(new URL("../../pkg", import.meta.url));
  if (!existsSync(`${built}/dist/index.js`)) throw new Error(`there is no package in ${built}: run \`cargo xtask package\` first`);
}

const { browsers, kills, only, names } = options();
checkBuilt();
if (kills) process.env.SELKIE_WEB_KILLS = kills;
const files = testFiles(names);
installHarness();
const total = { passed: 0, failed: 0, skipped: 0 };
const start = Date.now();
for (const browser of browsers) {
  const counts = await runIn(browser, files, only);
  for (const kind of Object.keys(total)) total[kind] += counts[kind];
}
console.log(`\nin browsers: ${((Date.now() - start) / 1000).toFixed(0)} s`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
