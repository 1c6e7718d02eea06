/** Compares Selkie and its peers in browsers: `node run/main.js [--quick] [--browsers a,b] [--peers a,b] [--records n,n] [--rounds n]`. */
import { browserTitle } from "./browsers.js";
import { buildSite } from "./build.js";
import { browserVersion, runJob } from "./job.js";
import { parseOptions } from "./options.js";
import { report } from "./report.js";
import { Results } from "./results.js";
import { Site } from "./serve.js";

/** @typedef {ReturnType<typeof parseOptions>} Options */
/** @typedef {{ options: Options, results: Results, failures: string[], slow: Set<string>, versions: string[] }} Measurement */

/** A peer whose job takes longer is measured in one round only: opening PGlite takes most of a minute in Firefox, and a job opens it seven times. */
const SLOW_MS = 150_000;
const DURABILITIES = /** @type {const} */ (["relaxed", "strict", "memory"]);

/** Peers alternate within a round, so that what slows the machine for a while slows all of them. @param {Options} options */
function jobs({ browsers, sizes, peers, durationMs }) {
  return browsers.flatMap((browser) =>
    sizes.flatMap(({ records, rounds }) =>
      Array.from({ length: rounds }, () =>
        DURABILITIES.flatMap((durability) =>
          peers
            .filter((peer) => peer.durabilities.includes(durability) && peer.absent[browser] === undefined)
            .map((peer) => ({ browser, job: { peer: peer.id, durability, records, durationMs } })),
        ),
      ).flat(),
    ),
  );
}

/** @param {Options} options @param {Site} site @param {string} address */
async function measure(options, site, address) {
  const [results, failures, slow] = [new Results(), /** @type {string[]} */ ([]), /** @type {Set<string>} */ (new Set())];
  const all = jobs(options);
  for (const [at, { browser, job }] of all.entries()) {
    const name = `${browserTitle(browser)}, ${job.peer}, ${job.durability}, ${job.records} records`;
    if (slow.has(name)) {
      continue;
    }
    const start = performance.now();
    try {
      const figures = await runJob(browser, address, job);
      results.add({ browser, ...job }, { ...figures, gzipKb: site.gzipBytes(job.peer) / 1000 });
      console.error(`${at + 1} of ${all.length}: ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
      console.error(`${at + 1} of ${all.length}: ${failures.at(-1)}`);
    }
    if (performance.now() - start > SLOW_MS) {
      slow.add(name);
    }
  }
  return { results, failures, slow };
}

/** One after another, since each takes the machine. @param {Options} options */
async function versionsOf({ browsers }) {
  const versions = [];
  for (const browser of browsers) {
    versions.push(`${browserTitle(browser)} ${await browserVersion(browser)}`);
  }
  return versions;
}

try {
  const options = parseOptions(process.argv.slice(2));
  const versions = await versionsOf(options);
  await buildSite(options.peers);
  const site = new Site();
  const measured = await measure(options, site, await site.start());
  site.stop();
  await report({ options, versions, ...measured });
  process.exitCode = measured.failures.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
