/** Runs one job with a browser and a profile of its own, which is new. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { launch, versionOf } from "./browsers.js";
import { PROFILES } from "./places.js";
import { median } from "./results.js";

const LIMIT_MS = 600_000;
/** A browser that has just started loads pages of its own, which on few cores takes from whoever is measured. */
const SETTLE_MS = 2000;
/** Of which the median counts. */
const OPENINGS = 3;

/** @typedef {import("../page/jobs.js").Job} Job */
/** @typedef {import("../page/jobs.js").Figures} Figures */
/** @typedef {import("../page/jobs.js").Measured} Measured */
/** @typedef {keyof import("../page/main.js").Comparison} Step */
/** @typedef {import("./browsers.js").BrowserName} BrowserName */
/** @typedef {(step: Step, ...args: unknown[]) => Promise<any>} InNewPage runs a step in a page that was just loaded */

/**
 * @param {BrowserName} browser
 * @param {string} address
 * @param {Job} job
 * @returns {Promise<Figures>}
 */
export async function runJob(browser, address, job) {
  await mkdir(PROFILES, { recursive: true });
  const profile = await mkdtemp(path.join(PROFILES, `${job.peer}-`));
  try {
    const { figures, versions } = await inBrowser(browser, profile, address, (run) => created(run, job));
    if (job.durability === "memory") {
      return figures;
    }
    return { ...figures, ...(await inBrowser(browser, profile, address, (run) => restarted(run, job, versions))) };
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @param {BrowserName} browser */
export async function browserVersion(browser) {
  await mkdir(PROFILES, { recursive: true });
  const profile = await mkdtemp(path.join(PROFILES, "version-"));
  const context = await launch(browser, profile);
  try {
    return await versionOf(context, browser);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @param {InNewPage} run @param {Job} job @returns {Promise<Measured>} */
async function created(run, job) {
  const openings = job.durability === "memory" ? [] : await times(OPENINGS - 1, () => openNew(run, job));
  const { figures, versions } = /** @type {Measured} */ (await run("create", job));
  if (job.durability === "memory") {
    return { figures: { ...figures, ...(await run("memory", job)) }, versions };
  }
  const firstOpenMs = openings[0];
  const emptyOpenMs = median([...openings, /** @type {number} */ (figures.emptyOpenMs)]);
  const reopenMs = median(await times(OPENINGS, async () => (await run("reopen", job, versions)).reopenMs));
  return { figures: { ...figures, firstOpenMs, emptyOpenMs, reopenMs, ...(await run("reopenLongestTask", job)) }, versions };
}

/** @param {InNewPage} run @param {Job} job @returns {Promise<number>} */
async function openNew(run, job) {
  const { emptyOpenMs } = await run("openNew", job);
  await run("destroy", job);
  return emptyOpenMs;
}

/** @param {number} count @param {() => Promise<number>} measure */
async function times(count, measure) {
  const measured = [];
  for (let at = 0; at < count; at++) {
    measured.push(await measure());
  }
  return measured;
}

/** @param {InNewPage} run @param {Job} job @param {number[]} versions */
async function restarted(run, job, versions) {
  const opened = { ...(await run("openCold", job, versions)), ...(await run("memory", job)) };
  const written = /** @type {Measured} */ (await run("write", job, versions));
  await run("verify", job, written.versions);
  await run("destroy", job);
  return { ...opened, ...written.figures };
}

/**
 * @template T
 * @param {BrowserName} browser
 * @param {string} profile
 * @param {string} address
 * @param {(run: InNewPage) => Promise<T>} steps
 */
async function inBrowser(browser, profile, address, steps) {
  const context = await launch(browser, profile);
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(LIMIT_MS);
    await pause(SETTLE_MS);
    return await steps(async (step, ...args) => {
      await page.goto(address);
      await page.waitForFunction(() => "comparison" in globalThis);
      return limited(step, call(page, step, args));
    });
  } finally {
    await context.close();
  }
}

/** @param {import("playwright-core").Page} page @param {Step} step @param {unknown[]} args @returns {Promise<any>} */
function call(page, step, args) {
  return page.evaluate(
    ([name, values]) => {
      const { comparison } = /** @type {any} */ (globalThis);
      return comparison[/** @type {string} */ (name)](.../** @type {unknown[]} */ (values));
    },
    /** @type {[string, unknown[]]} */ ([step, args]),
  );
}

/** @template T @param {Step} step @param {Promise<T>} work */
async function limited(step, work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${step} took longer than ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  });
  try {
    return /** @type {T} */ (await Promise.race([work, limit]));
  } finally {
    clearTimeout(timer);
  }
}
