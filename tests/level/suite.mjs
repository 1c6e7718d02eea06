// abstract-level's public suite on SelkieLevel, in one kind of storage.

import suite from "abstract-level/test/index.js";
import { SelkieLevel } from "selkie/level";
import tape from "tape";

/** Runs the suite; answers with the number of assertions that passed, and what each that failed said. */
export function runSuite(options, report) {
  const harness = tape.createHarness();
  const failures = [];
  let passed = 0;
  let title = "";
  let databases = 0;
  return new Promise((resolve) => {
    const stream = harness.createStream({ objectMode: true });
    stream.on("data", (row) => {
      if (row.type === "test") title = row.name;
      if (row.type !== "assert") return;
      if (row.ok) passed++;
      else
        failures.push(
          `${title}: ${row.name} (expected ${text(row.expected)}, got ${text(row.actual)}) ${row.error?.stack ?? ""}`,
        );
      if ((passed + failures.length) % 500 === 0) report?.(passed);
    });
    stream.on("end", () => resolve({ passed, failures, databases, missing: missing(options) }));
    // Each database of the suite is a new one.
    suite({ test: harness, factory: (more) => new SelkieLevel(`level-${databases++}`, { ...options, ...more }) });
  });
}

/** What of the manifest is false, whose tests the suite leaves out. */
function missing(options) {
  const { supports } = new SelkieLevel("manifest", options);
  return Object.keys(supports).filter((name) => supports[name] === false);
}

function text(value) {
  return value instanceof Error ? `${value.name}: ${value.message}` : (JSON.stringify(value) ?? String(value));
}
