/** The report of a run: what it was measured on, tables, settings and what is left out; with all figures and a plot beside it. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { browserTitle } from "./browsers.js";
import { machine } from "./machine.js";
import { OUTPUT, WEB } from "./places.js";
import { plot } from "./plot.js";
import { tables } from "./tables.js";
import { list } from "./text.js";

/** @typedef {import("./main.js").Measurement} Measurement */

const METHOD = `Medians over rounds in which the peers alternate, each time with a new profile; called from the page. Values of 100 bytes change with every write and are checked at every read, and all records after reopening. A ratio is how many times Selkie is better than the best other; where it is worse the cell is bold.`;
const DURABILITIES = `- Relaxed: a commit survives the death of the page and the browser once its promise resolves.
- Strict: it is synced before its promise resolves. Peers that cannot are left out of its table.
- In memory: it is gone with the page.`;
const MEASURES = `- Opening is of a new database, and of the database as it was filled, three times each in a new page of the same browser, of which the median counts; and of the filled one once after the browser was restarted.
- Memory is what the page takes more, with its workers, once the database is open and everything was read: by \`performance.measureUserAgentSpecificMemory\`, to which the memory of wasm is added, since Chromium does not count it; in Firefox, which has nothing like it, the memory of wasm alone, and nothing for other engines. What the browser itself keeps for IndexedDB or files is in neither, and engines below 0.1 MB are left out of the ratio.
- Tasks of the main thread are those that Chromium reports, which are of 50 ms and more; in Firefox, how late a timer of 4 ms was at most.
- Downloaded is what the page asks for, all scripts minified.`;

/** @param {Measurement} measurement */
export async function report(measurement) {
  const { options, results, failures, slow, versions } = measurement;
  const here = { ...machine(), browsers: versions, date: new Date().toISOString() };
  const { dependencies } = JSON.parse(await readFile(path.join(WEB, "package.json"), "utf8"));
  const places = options.browsers.flatMap((browser) => options.sizes.map(({ records }) => ({ browser, records })));
  const text = [
    `# Selkie and others in the browser`,
    `${here.date.slice(0, 10)}; ${versions.join(", ")}; ${here.cpu}, ${here.cores} cores; ${here.system}; appending 100 bytes and syncing takes ${here.appendAndSyncUs} us (median). Rounds: ${options.sizes.map(({ records, rounds }) => `${rounds} of ${records.toLocaleString("en")} records`).join(", ")}.`,
    METHOD,
    tables(results, options.peers, places),
    ...section("What is compared", `${DURABILITIES}\n${MEASURES}`),
    ...section("Settings", list(options.peers.map((peer) => `${peer.title}: ${peer.settings}`))),
    ...section("Versions", list(Object.entries(dependencies).map(([name, version]) => `${name} ${version}`))),
    ...section("Left out", list(absences(options))),
    ...section("Measured in one round only, since it takes minutes", list([...slow])),
    ...section("Failed", list(failures)),
  ].join("\n\n");
  const all = { machine: here, versions: dependencies, series: results.series, failures };
  await save(options.quick ? "quick" : "full", { md: text, json: JSON.stringify(all, undefined, 2), svg: await plot(results, options.peers, places) });
  console.log(text);
}

/** @param {string} title @param {string} text */
function section(title, text) {
  return text === "" ? [] : [`## ${title}\n\n${text}`];
}

/** @param {Measurement["options"]} options */
function absences({ browsers, peers }) {
  return browsers.flatMap((browser) =>
    peers.flatMap((peer) => (peer.absent[browser] === undefined ? [] : [`${peer.title} in ${browserTitle(browser)}: ${peer.absent[browser]}`])),
  );
}

/** @param {string} name @param {Record<string, string | undefined>} files by their ending */
async function save(name, files) {
  await mkdir(OUTPUT, { recursive: true });
  for (const [ending, content] of Object.entries(files)) {
    if (content !== undefined) {
      const file = path.join(OUTPUT, `${name}.${ending}`);
      await writeFile(file, content);
      console.error(`saved as ${file}`);
    }
  }
}
