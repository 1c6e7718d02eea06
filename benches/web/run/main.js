/** Measures Selkie and its peers in Chromium: `node run/main.js [--quick] [--peers a,b] [--records n]`. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { browserVersion, runJob } from "./browser.js";
import { buildSite } from "./build.js";
import { machine } from "./machine.js";
import { parseOptions } from "./options.js";
import { OUTPUT, WEB } from "./places.js";
import { tables } from "./report.js";
import { Results } from "./results.js";
import { Site } from "./serve.js";

/** @typedef {ReturnType<typeof parseOptions>} Options */

/** Peers alternate within a round, so that what slows the machine for a while slows all of them. @param {Options} options */
function jobs({ sizes, peers, durationMs }) {
  return sizes.flatMap(({ records, rounds, durabilities }) =>
    Array.from({ length: rounds }, () =>
      durabilities.flatMap((durability) =>
        peers
          .filter((peer) => peer.strict || durability === "relaxed")
          .map((peer) => ({ peer: peer.id, durability, records, durationMs })),
      ),
    ).flat(),
  );
}

/** @param {Options} options @param {Site} site @param {string} address */
async function measure(options, site, address) {
  const [results, failures] = [new Results(), /** @type {string[]} */ ([])];
  const all = jobs(options);
  for (const [at, job] of all.entries()) {
    const name = `${job.peer}, ${job.durability}, ${job.records} records`;
    const start = performance.now();
    try {
      const figures = await runJob(address, job);
      results.add(job, { ...figures, gzipKb: site.gzipBytes(job.peer) / 1000 });
      console.error(`${at + 1} of ${all.length}: ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : error}`);
      console.error(`${at + 1} of ${all.length}: ${failures.at(-1)}`);
    }
  }
  return { results, failures };
}

/** @param {Options} options @param {Awaited<ReturnType<typeof measure>>} measured */
async function report(options, { results, failures }) {
  const here = { ...machine(), browser: await browserVersion(), date: new Date().toISOString() };
  const { dependencies } = JSON.parse(await readFile(path.join(WEB, "package.json"), "utf8"));
  const text = [
    `# Selkie and others in the browser`,
    `${here.date.slice(0, 10)}; ${here.browser}; ${here.cpu}, ${here.cores} cores; ${here.system}; appending 100 bytes and syncing takes ${here.appendAndSyncUs} us (median).`,
    `Medians over rounds in which the peers alternate, each time with a new profile; called from the page. Values of 100 bytes change with every write and are checked at every read. A ratio is how many times Selkie is better than the best other; where it is worse the cell is bold.`,
    tables(results, options.peers, options.sizes.map(({ records }) => records)),
    `### Settings\n\n${options.peers.map((peer) => `- ${peer.title}: ${peer.settings}`).join("\n")}`,
    failures.length === 0 ? "" : `### Failed\n\n${failures.map((failure) => `- ${failure}`).join("\n")}`,
  ].join("\n\n");
  const name = path.join(OUTPUT, options.quick ? "quick" : "full");
  await mkdir(OUTPUT, { recursive: true });
  await writeFile(`${name}.md`, text);
  await writeFile(`${name}.json`, JSON.stringify({ machine: here, versions: dependencies, series: results.series, failures }, undefined, 2));
  console.log(text);
  console.error(`saved as ${name}.md and ${name}.json`);
}

try {
  const options = parseOptions(process.argv.slice(2));
  await buildSite(options.peers);
  const site = new Site();
  const measured = await measure(options, site, await site.start());
  site.stop();
  await report(options, measured);
  process.exitCode = measured.failures.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
