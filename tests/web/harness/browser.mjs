/**
 * Starts the browsers that are installed, over a profile directory that can outlive them.
 *
 * Chromium is driven by the DevTools protocol, Firefox by WebDriver BiDi (playwright's channel for a Firefox that is not its
 * own build), so that neither needs a download.
 */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, firefox } from "playwright-core";
import { descendants, kill, killTree, processOf } from "./process.mjs";

const LAUNCH_LIMIT_MS = 60_000;
const FIREFOX_SCRIPT = fileURLToPath(new URL("firefox.sh", import.meta.url));

const BROWSERS = {
  chromium: {
    type: chromium,
    programs: ["chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"],
    arguments: ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  },
  firefox: {
    type: firefox,
    channel: "moz-firefox",
    programs: ["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"],
    arguments: [],
  },
};

/** @typedef {"chromium" | "firefox"} BrowserName */

function executable(/** @type {string} */ path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findProgram(/** @type {string[]} */ programs) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = programs.flatMap((name) => (name.startsWith("/") ? [name] : folders.map((folder) => join(folder, name))));
  const found = candidates.find(executable);
  if (!found) throw new Error(`none of these browsers is installed: ${programs.join(", ")}`);
  return found;
}

/** A running browser. All its pages share one profile, as the tabs of a person do. */
export class Browser {
  /** @param {BrowserName} name @param {import("playwright-core").BrowserContext} context @param {string} profile */
  constructor(name, context, profile) {
    this.name = name;
    this.context = context;
    this.profile = profile;
  }

  /** Opens a tab and goes to an address. What the page writes to its console as an error is shown. */
  async open(/** @type {string} */ address) {
    const page = await this.context.newPage();
    page.on("pageerror", (error) => console.error(`[${address}] ${error.stack ?? error}`));
    await page.goto(address);
    return page;
  }

  /** Kills every process of the browser at once, as a crash of the machine's session would. The profile stays. */
  async kill() {
    const closed = new Promise((resolve) => this.context.once("close", resolve));
    killTree(processOf(this.profile));
    await closed;
  }

  /** Kills the process that a tab runs in, and closes the tab. In Firefox the processes of all tabs, which it does not tell apart. */
  async crash(/** @type {import("playwright-core").Page} */ page) {
    if (this.name === "firefox") {
      const tabs = descendants(processOf(this.profile)).filter(({ command }) => command.endsWith(" tab"));
      for (const { id } of tabs) kill(id);
    } else {
      const crashed = page.waitForEvent("crash");
      const devtools = await this.devtools(page);
      // The answer cannot come: whoever would send it is gone.
      devtools.send("Page.crash").catch(() => {});
      await crashed;
    }
    await page.close();
  }

  async close() {
    await this.context.close();
  }

  /** The developer tools protocol of a page, in Chromium only. */
  devtools(/** @type {import("playwright-core").Page} */ page) {
    return this.context.newCDPSession(page);
  }
}

/**
 * @param {{ browser?: BrowserName, profile: string, preferences?: Record<string, string | number | boolean>, arguments?: string[] }} options
 *   `preferences` are Firefox's.
 */
export async function launch({ browser = "chromium", profile, preferences, arguments: extra = [] }) {
  const { type, channel, programs, arguments: usual } = BROWSERS[browser];
  const program = findProgram(programs);
  const context = await type.launchPersistentContext(profile, {
    executablePath: browser === "firefox" ? FIREFOX_SCRIPT : program,
    env: { ...process.env, SELKIE_FIREFOX: program },
    channel,
    headless: true,
    args: [...usual, ...extra],
    firefoxUserPrefs: preferences,
    timeout: LAUNCH_LIMIT_MS,
  });
  return new Browser(browser, context, profile);
}
