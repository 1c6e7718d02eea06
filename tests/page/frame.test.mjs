/** What holds for every view: it fits a phone, its text can be read in both colour schemes, its controls have names, nothing traps the keyboard. */

import assert from "node:assert/strict";
import { go, openPlace, test, usePage } from "./fixture.mjs";
import { unreadable, unnamed } from "./readable.mjs";

const VIEWS = ["search", "browse", "history", "recovery", "figures", "storage"];
const site = usePage();
let page;

test("no view is wider than a phone of 360 pixels", async () => {
  page = await site.openLoaded("frame");
  await openPlace(page, "reykjavik");
  await page.setViewportSize({ width: 360, height: 740 });
  for (const view of VIEWS) {
    await go(page, view);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${view} is ${width} pixels wide`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
});

for (const theme of ["light", "dark"]) {
  test(`the text has enough contrast in the ${theme} scheme`, async () => {
    await page.evaluate((theme) => localStorage.setItem("selkie-theme", theme), theme);
    await page.reload();
    for (const view of VIEWS) {
      await go(page, view);
      assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
      assert.deepEqual(await page.evaluate(unreadable), [], view);
    }
  });
}

test("the switch goes through the schemes", async () => {
  const theme = () => page.evaluate(() => localStorage.getItem("selkie-theme"));
  const button = page.locator(".theme-button");
  assert.equal(await theme(), "dark");
  await button.click();
  assert.equal(await theme(), "light");
  await button.click();
  assert.equal(await theme(), null);
});

test("every control has a name, and every view one heading of the first level", async () => {
  for (const view of VIEWS) {
    await go(page, view);
    assert.deepEqual(await page.evaluate(unnamed), [], view);
    assert.equal(await page.locator("h1").count(), 1, view);
  }
});

test("the Tab key goes through a view and out of it", async () => {
  for (const view of VIEWS) {
    await go(page, view);
    await page.evaluate(() => document.body.focus());
    const seen = new Set();
    for (let i = 0; i < 120; i++) {
      await page.keyboard.press("Tab");
      seen.add(await page.evaluate(() => document.activeElement?.closest("header, main, footer")?.tagName ?? "none"));
      if (seen.has("FOOTER")) break;
    }
    assert.ok(seen.has("FOOTER"), `${view}: ${[...seen]}`);
  }
});
