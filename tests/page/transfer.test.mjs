/** A database leaves as a file and comes back, with its history; a file that is none changes nothing. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { CITIES, browserName, go, numberIn, openPlace, search, test, until, usePage } from "./fixture.mjs";

const folder = mkdtempSync(join(tmpdir(), "selkie-page-"));
const site = usePage();
const file = join(folder, "cities.selkie");
let page;
after(() => rmSync(folder, { recursive: true }));

/** The name and bytes that the page gives to the browser to save. Firefox's driver knows no downloads, so that there they are taken on the way. */
async function download(start) {
  if (browserName === "chromium") {
    const [download] = await Promise.all([page.waitForEvent("download"), start()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  }
  await page.evaluate(() => {
    const blobs = new Map();
    const create = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      const address = create.call(URL, blob);
      blobs.set(address, blob);
      return address;
    };
    HTMLAnchorElement.prototype.click = function () {
      globalThis.saved = { name: this.download, blob: blobs.get(this.href) };
    };
  });
  await start();
  const name = await until(
    () => page.evaluate(() => globalThis.saved?.name),
    (name) => typeof name === "string",
    "the download",
    60_000,
  );
  const base64 = await page.evaluate(async () => {
    const reader = new FileReader();
    await new Promise((resolve) => {
      reader.onload = resolve;
      reader.readAsDataURL(globalThis.saved.blob);
    });
    return reader.result.split(",")[1];
  });
  return { name, bytes: Buffer.from(base64, "base64") };
}

const confirm = () => page.locator("dialog .danger").click();

test("an export is a file of some megabytes", async () => {
  page = await site.openLoaded("transfer");
  await openPlace(page, "reykjavik");
  await page.locator(".entry-form [name=note]").fill("Travelled");
  await page.locator(".entry-form button[type=submit]").click();
  await until(
    () => page.locator(".version-what").count(),
    (count) => count === 2,
  );
  await go(page, "storage");
  const { name, bytes } = await download(() => page.locator("#export").click());
  assert.match(name, /^cities-version-\d+\.selkie$/);
  assert.ok(bytes.length > 1e6, `${bytes.length} bytes`);
  writeFileSync(file, bytes);
});

test("starting over leaves nothing", async () => {
  await page.locator("#start-over").click();
  await confirm();
  await until(
    () => page.locator(".status [data-fact=version] dd").innerText(),
    (text) => numberIn(text) < 20,
    "the version",
  );
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
  await until(
    () => page.locator(".latency").first().innerText(),
    (text) => numberIn(text) === CITIES,
    "the number of places",
  );
  await page.reload();
  await openPlace(page, "reykjavik");
  assert.deepEqual(await page.locator(".version-what").allInnerTexts(), ["note: none → Travelled", "written"]);
});
