/**
 * Runs the tests of the package in projects with bundlers: `node tests/bundlers/run.mjs [name]`.
 *
 * The package must have been built (`cargo xtask package`). A name chooses one test, such as `webpack`.
 */

import { execFileSync } from "node:child_process";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const TEST_LIMIT_MS = 300_000;

const [name] = process.argv.slice(2);
execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: `${here}../web/harness` });
const stream = run({
  files: [`${here}bundlers.test.mjs`],
  timeout: TEST_LIMIT_MS,
  ...(name && { testNamePatterns: [new RegExp(`^${name}:?`)] }),
});
const counts = { passed: 0, failed: 0 };
stream.on("test:pass", ({ skip, details }) => {
  if (skip === undefined && details.type !== "suite") counts.passed += 1;
});
stream.on("test:fail", () => (counts.failed += 1));
const report = stream.compose(new spec());
report.pipe(process.stdout);
await new Promise((resolve) => report.once("end", resolve));
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
