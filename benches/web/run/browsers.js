/** The browsers that are installed. Chromium is driven by its own protocol, Firefox by WebDriver BiDi, so that neither needs a build of its own. */
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { chromium, firefox } from "playwright-core";

/** @typedef {"chromium" | "firefox"} BrowserName */

const BROWSERS = {
  chromium: {
    title: "Chromium",
    type: chromium,
    channel: undefined,
    variable: "CHROMIUM",
    programs: ["chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"],
    // Memory is measured when it is asked for, not at the next collection, which may be 20 s away.
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--enable-blink-features=ForceEagerMeasureMemory"],
  },
  firefox: {
    title: "Firefox",
    type: firefox,
    channel: "moz-firefox",
    variable: "FIREFOX",
    programs: ["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"],
    args: [],
  },
};

export const BROWSER_NAMES = /** @type {BrowserName[]} */ (Object.keys(BROWSERS));

/** @param {BrowserName} name */
export function browserTitle(name) {
  return BROWSERS[name].title;
}

/** Its profile can outlive it. @param {BrowserName} name @param {string} profile */
export function launch(name, profile) {
  const { type, channel, args } = BROWSERS[name];
  return type.launchPersistentContext(profile, { executablePath: program(name), channel, headless: true, args });
}

/** @param {import("playwright-core").BrowserContext} context @param {BrowserName} name */
export async function versionOf(context, name) {
  const page = context.pages()[0] ?? (await context.newPage());
  const agent = await page.evaluate(() => navigator.userAgent);
  return context.browser()?.version() ?? /(?:Chrome|Firefox)\/([\d.]+)/.exec(agent)?.[1] ?? browserTitle(name);
}

/** What the variable names, or what the PATH has. @param {BrowserName} name */
function program(name) {
  const { title, variable, programs } = BROWSERS[name];
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const places = programs.flatMap((one) => (path.isAbsolute(one) ? [one] : folders.map((folder) => path.join(folder, one))));
  const named = process.env[variable];
  const found = named ?? places.find(isExecutable);
  if (found === undefined) {
    throw new Error(`no ${title} here: install it (\`cargo xtask setup\`), or name it in the variable ${variable}`);
  }
  return found;
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
