/** A browser and the built page for one file of tests, and what the tests do with it. */

import assert from "node:assert/strict";
import { after, before, test as nodeTest } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "../web/harness/browser.mjs";
import { newProfile, removeProfile } from "../web/harness/profile.mjs";
import { serve } from "../web/harness/server.mjs";

export const CITIES = 171_075;
export const browserName = /** @type {"chromium" | "firefox"} */ (process.env.SELKIE_WEB_BROWSER ?? "chromium");

const TEST_LIMIT_MS = 120_000;
const LOAD_LIMIT_MS = 60_000;
export const dist = fileURLToPath(new URL("../../www/dist/", import.meta.url));

/** @param {string} name @param {() => Promise<void>} run */
export function test(name, run) {
  return nodeTest(name, { timeout: TEST_LIMIT_MS }, run);
}

/** Starts the browser and the server for all tests of a file. */
export function usePage(folder = dist) {
  const site = new Site(folder);
  before(() => site.start());
  after(() => site.stop());
  return site;
}

class Site {
  constructor(/** @type {string} */ folder) {
    this.folder = folder;
  }

  async start() {
    this.profile = newProfile();
    this.server = await serve({ "/": this.folder });
    this.browser = await launch({ browser: browserName, profile: this.profile });
  }

  async stop() {
    await this.browser?.close();
    await this.server?.close();
    if (this.profile) removeProfile(this.profile);
  }

  /** Opens the page on an origin of its own, whose storage is empty at first. */
  async open(/** @type {string} */ origin, view = "search") {
    const page = await this.browser.open(`${this.server.origin(origin)}/#${view}`);
    page.setDefaultTimeout(20_000);
    await page.locator("main h1").waitFor();
    return page;
  }

  /** The same, with the cities loaded. */
  async openLoaded(/** @type {string} */ origin) {
    const page = await this.open(origin);
    await page.locator("#load").click();
    await page.locator(".load-report").waitFor({ timeout: LOAD_LIMIT_MS });
    return page;
  }
}

/** @typedef {import("playwright-core").Page} Page */

export async function go(/** @type {Page} */ page, /** @type {string} */ view) {
  await page.locator(`nav a[href="#${view}"]`).click();
  await page.locator(`main .${view}-view h1`).waitFor();
}

export async function search(/** @type {Page} */ page, /** @type {string} */ text) {
  await page.locator("#search").fill(text);
}

/** Opens the first place that is found. */
export async function openPlace(/** @type {Page} */ page, /** @type {string} */ text) {
  await search(page, text);
  await page.locator(".result").first().click();
  await page.locator(".entry h2").first().waitFor();
}

/** Waits until something reads as expected. */
export async function until(
  /** @type {() => Promise<unknown>} */ read,
  /** @type {(value: any) => boolean} */ isGood,
  what = "",
  limitMs = 15_000,
) {
  let value;
  for (const end = Date.now() + limitMs; Date.now() < end;) {
    value = await read();
    if (isGood(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`${what || "it"} is still ${JSON.stringify(value)}`);
}

export function fact(/** @type {Page} */ page, /** @type {string} */ term, within = ".facts") {
  return page
    .locator(`${within} div`)
    .filter({ has: page.locator("dt", { hasText: new RegExp(`^${term}$`) }) })
    .locator("dd")
    .first()
    .innerText();
}

export function numberIn(/** @type {string} */ text) {
  return Number((/\d[\d,]*/.exec(text) ?? ["NaN"])[0].replaceAll(",", ""));
}
