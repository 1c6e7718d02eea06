/** A database leaves as a file and comes back, with its history; a file that is none changes nothing. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { CITIES, go, numberIn, openPlace, search, test, until, usePage } from "./fixture.mjs";

const site = usePage();
const folder = mkdtempSync(join(tmpdir(), "selkie-page-"));
const file = join(folder, "cities.selkie");
let page;
after(() => rmSync(folder, { recursive: true }));

const confirm = () => page.locator("dialog .danger").click();

test("an export is a file of some megabytes", async () => {
  page = await site.openLoaded("transfer");
  await openPlace(page, "reykjavik");
  await page.locator(".entry-form [name=note]").fill("Travelled");
  await page.locator(".entry-form button[type=submit]").click();
  await until(() => page.locator(".version-what").count(), (count) => count === 2);
  await go(page, "storage");
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#export").click()]);
  await download.saveAs(file);
  assert.match(download.suggestedFilename(), /^cities-version-\d+\.selkie$/);
  assert.ok(statSync(file).size > 1e6, `${statSync(file).size} bytes`);
});

test("starting over leaves nothing", async () => {
  await page.locator("#start-over").click();
  await confirm();
  await until(() => page.locator(".status [data-fact=version] dd").innerText(), (text) => numberIn(text) < 20, "the version");
  await go(page, "search");
  await page.locator("#load").waitFor();
});

test("a file that is no export is refused with a code, and changes nothing", async () => {
  const wrong = join(folder, "wrong.selkie");
  writeFileSync(wrong, "not a database");
  await go(page, "storage");
  await page.locator("#import-file").setInputFiles(wrong);
  await confirm();
  const notice = page.locator(".notice.error");
  assert.match(await notice.locator("code").innerText(), /^[A-Z_]+$/);
  assert.ok((await notice.locator(".advice").innerText()).length > 20);
  await notice.locator("button").click();
  await go(page, "search");
  await page.locator("#load").waitFor();
});

test("the import brings everything back, history included, and it is there after a reload", async () => {
  await go(page, "storage");
  await page.locator("#import-file").setInputFiles(file);
  await confirm();
  await page.locator(".notice.news", { hasText: "is imported" }).waitFor();
  await go(page, "search");
  await search(page, "");
  await until(() => page.locator(".latency").first().innerText(), (text) => numberIn(text) === CITIES, "the number of places");
  await page.reload();
  await openPlace(page, "reykjavik");
  assert.deepEqual(await page.locator(".version-what").allInnerTexts(), ["note: none → Travelled", "written"]);
});
