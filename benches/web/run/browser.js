/** Runs one job in a browser of its own, with a profile that is new. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";
import { PROFILES } from "./places.js";

const LIMIT_MS = 180_000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** @typedef {import("../page/main.js").Job} Job */
/** @typedef {import("../page/main.js").Figures} Figures */
/** @typedef {{ figures: Figures, versions: number[] }} Measured */

/** The browser that is installed: of the variable CHROMIUM, or where systems put it. */
function executable() {
  const found = [process.env.CHROMIUM, ...PLACES].find((place) => place !== undefined && existsSync(place));
  if (found === undefined) {
    throw new Error("no Chromium here: install it (`cargo xtask setup`), or name it in the variable CHROMIUM");
  }
  return found;
}

export async function browserVersion() {
  const browser = await chromium.launch({ executablePath: executable(), args: FLAGS });
  const version = browser.version();
  await browser.close();
  return `Chromium ${version}`;
}

/**
 * @param {string} address
 * @param {Job} job
 * @returns {Promise<Figures>}
 */
export async function runJob(address, job) {
  await mkdir(PROFILES, { recursive: true });
  const profile = await mkdtemp(path.join(PROFILES, `${job.peer}-`));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: executable(),
    headless: true,
    args: FLAGS,
  });
  try {
    const page = browser.pages()[0] ?? (await browser.newPage());
    page.setDefaultTimeout(LIMIT_MS);
    await visit(page, address);
    const measured = /** @type {Measured} */ (await call(page, "measure", [job]));
    await visit(page, address);
    const longest = await call(page, "reopenLongestTask", [job]);
    await visit(page, address);
    const reopened = await call(page, "reopen", [job, measured.versions]);
    return { ...measured.figures, ...longest, ...reopened };
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @param {import("playwright-core").Page} page @param {string} address */
async function visit(page, address) {
  await page.goto(address);
  await page.waitForFunction(() => "bench" in globalThis);
}

/**
 * @param {import("playwright-core").Page} page
 * @param {keyof import("../page/main.js").Bench} method
 * @param {unknown[]} args
 */
async function call(page, method, args) {
  const result = page.evaluate(
    ([name, values]) => {
      const { bench } = /** @type {any} */ (globalThis);
      return bench[/** @type {string} */ (name)](.../** @type {unknown[]} */ (values));
    },
    /** @type {[string, unknown[]]} */ ([method, args]),
  );
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${method} took longer than ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  });
  try {
    return await Promise.race([result, limit]);
  } finally {
    clearTimeout(timer);
  }
}
