/** The harness itself: a profile outlives a killed browser, a crash takes a tab and not the browser, origins are apart. */

import assert from "node:assert/strict";
import { inChromium, test, useBrowser } from "./fixture.mjs";

const site = useBrowser();
const BLANK = "/blank.html";

const keep = (page, value) =>
  page.evaluate(async (value) => {
    localStorage.value = value;
    const folder = await navigator.storage.getDirectory();
    const file = await (await folder.getFileHandle("kept", { create: true })).createWritable();
    await file.write(value);
    await file.close();
  }, value);

const kept = (page) =>
  page.evaluate(async () => {
    const folder = await navigator.storage.getDirectory();
    return folder.getFileHandle("kept").then(
      async (handle) => (await handle.getFile()).text(),
      (error) => error.name,
    );
  });

test("what is in storage stays when the browser is killed and started again", async () => {
  const origin = site.newOrigin();
  await keep(await site.open(origin, BLANK), "before the kill");
  await site.browser.kill();
  await site.launch();
  assert.equal(await kept(await site.open(origin, BLANK)), "before the kill");
});

test("a tab that crashes leaves the browser, and in Chromium the other tabs", async () => {
  const origin = site.newOrigin();
  const victim = await site.open(origin, BLANK);
  const other = await site.open(origin, BLANK);
  await keep(victim, "before the crash");
  await site.browser.crash(victim);
  if (inChromium) assert.equal(await other.evaluate(() => 1 + 1), 2);
  assert.equal(await kept(await site.open(origin, BLANK)), "before the crash");
});

test("origins do not share storage", async () => {
  await keep(await site.open(undefined, BLANK), "mine");
  assert.equal(await kept(await site.open(undefined, BLANK)), "NotFoundError");
});
