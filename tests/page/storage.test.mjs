/** A browser without OPFS: the page falls back, says so, and offers what there is when it may not. */

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { CITIES, dist, go, numberIn, test, until, usePage } from "./fixture.mjs";

const WITHOUT_OPFS =
  'if (globalThis.StorageManager) Object.defineProperty(StorageManager.prototype, "getDirectory", { value: undefined });\n';

const folder = mkdtempSync(join(tmpdir(), "selkie-page-"));
after(() => rmSync(folder, { recursive: true }));
const site = usePage(folder);
let page;

/** The page as it is built, but in a browser whose workers have no OPFS either. */
cpSync(dist, folder, { recursive: true });
for (const name of readdirSync(join(folder, "assets")).filter((name) => /^worker-.*\.js$/.test(name))) {
  const worker = join(folder, "assets", name);
  writeFileSync(worker, WITHOUT_OPFS + readFileSync(worker, "utf8"));
}

const storage = () => page.locator(".status [data-fact=storage] dd").innerText();

test("without OPFS the data goes to IndexedDB, and is there after a reload", async () => {
  await site.browser.context.addInitScript(WITHOUT_OPFS);
  page = await site.openLoaded("fallback");
  assert.equal(await storage(), "IndexedDB");
  console.log(await page.locator(".load-report").innerText());
  await page.reload();
  await until(
    () => page.locator(".latency").first().innerText(),
    (text) => numberIn(text) === CITIES,
    "the number of places",
  );
});

test("asked for OPFS alone, the page tells the code and what to do, and opens another storage", async () => {
  await page.evaluate(() =>
    localStorage.setItem("selkie-playground", JSON.stringify({ storage: "opfs", level: "immediate" })),
  );
  await page.reload();
  assert.equal(await page.locator(".closed-view code").innerText(), "UNAVAILABLE");
  await page.locator("#storage-choice").selectOption("indexeddb");
  await page.locator("#reopen").click();
  await page.locator(".search-view h1").waitFor();
  assert.equal(await storage(), "IndexedDB");
});

test("another durability is kept, and memory is named for what it is", async () => {
  await go(page, "storage");
  await page.locator("#durability-choice").selectOption("buffered");
  await until(
    () => page.locator(".status [data-fact=durability] dd").innerText(),
    (text) => text === "buffered",
    "the durability",
  );
  await page.reload();
  await until(
    () => page.locator(".status [data-fact=durability] dd").innerText(),
    (text) => text === "buffered",
    "the durability",
  );
  await page.locator("#storage-choice").selectOption("memory");
  await until(
    () => page.locator(".storage-view .facts dd").first().innerText(),
    (text) => text.includes("gone with the page"),
    "the storage",
  );
});
