/**
 * Tests the playground in real browsers: `node tests/page/run.mjs [--browser chromium|firefox] [name…]`.
 *
 * Without `--browser` it takes both. A name chooses the files that begin with it. The page must have been built (`cargo xtask demo`, or
 * `npm run data` and `npm run build` in www).
 */

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const harness = fileURLToPath(new URL("../web/harness", import.meta.url));
const BROWSERS = ["chromium", "firefox"];
const FILE_LIMIT_MS = 300_000;

const { values, positionals: names } = parseArgs({ allowPositionals: true, options: { browser: { type: "string" } } });
if (values.browser && !BROWSERS.includes(values.browser))
  throw new Error(`--browser takes ${BROWSERS.join(" or ")}, not ${values.browser}`);
if (!existsSync(new URL("../../www/dist/index.html", import.meta.url)))
  throw new Error("the page is not built: run `cargo xtask demo --check`");
if (!existsSync(`${harness}/node_modules/playwright-core`))
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: harness, stdio: "inherit" });

const files = readdirSync(here).filter(
  (file) => file.endsWith(".test.mjs") && (names.length === 0 || names.some((name) => file.startsWith(name))),
);
if (files.length === 0) throw new Error(`no tests are called ${names.join(", ")}`);

const total = { passed: 0, failed: 0, skipped: 0 };
for (const browser of values.browser ? [values.browser] : BROWSERS) await runIn(browser);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

/** One file after the other, because a second browser would slow down what the first one measures. */
async function runIn(/** @type {string} */ browser) {
  console.log(`\n== the page in ${browser} ==`);
  process.env.SELKIE_WEB_BROWSER = browser;
  const stream = run({ files: files.map((file) => here + file), concurrency: 1, timeout: FILE_LIMIT_MS });
  stream.on("test:pass", ({ details, skip }) => {
    if (details.type !== "suite") total[skip === undefined ? "passed" : "skipped"] += 1;
  });
  stream.on("test:fail", ({ details }) => {
    if (details.type !== "suite") total.failed += 1;
  });
  stream.compose(new spec()).pipe(process.stdout);
  await new Promise((resolve) => stream.once("end", resolve));
}
