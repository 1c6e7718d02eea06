/** What the test files share: one browser a file, a page of its own origin a test, and the options of the run. */

import assert from "node:assert/strict";
import { after, afterEach, before, test as nodeTest } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./harness/browser.mjs";
import { newProfile, removeProfile } from "./harness/profile.mjs";
import { serve } from "./harness/server.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const built = process.env.SELKIE_PKG ?? `${root}pkg`;
const pages = fileURLToPath(new URL("pages/", import.meta.url));

export const browserName = /** @type {import("./harness/browser.mjs").BrowserName} */ (process.env.SELKIE_WEB_BROWSER ?? "chromium");
export const inChromium = browserName === "chromium";
export const storages = ["opfs", "indexeddb"];

/** Names the reason where a test needs what only Chromium's developer tools offer. */
export const chromiumOnly = { skip: inChromium ? false : "needs Chromium's developer tools" };

export const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

const TEST_LIMIT_MS = 90_000;
/** Less than a test has, so that what does not come is told by the step that waits for it. */
const STEP_LIMIT_MS = 60_000;

/** A test that does not wait for ever for what never comes. */
export function test(/** @type {string} */ name, ...rest) {
  const work = rest.pop();
  nodeTest(name, { timeout: TEST_LIMIT_MS, ...rest[0] }, work);
}

/** Fails, with the place of the call, when a page gives no answer. */
function limited(/** @type {(...given: any[]) => Promise<any>} */ evaluate) {
  return async (/** @type {any[]} */ ...given) => {
    const late = new Error(`a page gave no answer within ${STEP_LIMIT_MS / 1000} s`);
    let timer;
    const limit = new Promise((_, reject) => {
      timer = setTimeout(reject, STEP_LIMIT_MS, late);
    });
    return Promise.race([evaluate(...given), limit]).finally(() => clearTimeout(timer));
  };
}

class Fixture {
  /** @type {import("./harness/browser.mjs").Browser} */ browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ server;
  /** @type {string} */ profile;
  /** What pages threw without anybody catching it. */
  errors = [];
  #origins = 0;
  #pages = new Set();

  constructor(options) {
    this.options = options;
  }

  async start() {
    const { headers, ...options } = this.options;
    this.server = await serve({ "/": pages, "/pkg/": `${built}/` }, { headers });
    this.profile = newProfile();
    await this.launch(options);
  }

  async launch(options = {}) {
    this.browser = await launch({ browser: browserName, profile: this.profile, ...options });
  }

  async stop() {
    await this.browser.close();
    await this.server.close();
    removeProfile(this.profile);
  }

  /** An origin that no test used before. */
  newOrigin() {
    return this.server.origin(`test-${++this.#origins}`);
  }

  /** A tab with the page under test. */
  async open(origin = this.newOrigin(), path = "/") {
    const page = await this.browser.open(origin + path);
    page.evaluate = limited(page.evaluate.bind(page));
    page.on("pageerror", (error) => this.errors.push(error));
    this.#pages.add(page);
    return page;
  }

  /** Not the browser's first tab, because without any tab it may end. */
  async closeTabs() {
    await Promise.all(Array.from(this.#pages, (page) => page.isClosed() || page.close()));
    this.#pages.clear();
  }

  async openTabs(/** @type {number} */ count) {
    const origin = this.newOrigin();
    return Promise.all(Array.from({ length: count }, () => this.open(origin)));
  }
}

/** A browser for the tests of a file. An error that a page lets escape fails the test that made it. */
export function useBrowser(options = {}) {
  const fixture = new Fixture(options);
  before(() => fixture.start());
  after(() => fixture.stop());
  afterEach(async () => {
    const escaped = fixture.errors.splice(0).map(String);
    await fixture.closeTabs();
    assert.deepEqual(escaped, [], "errors that nobody caught");
  });
  return fixture;
}

/** The codes of an error that left the page and of those that caused it. */
export function codes(error) {
  return error ? [error.code, ...codes(error.cause)].filter(Boolean) : [];
}
