/** Keyspaces and ranges in a list of 171,075 rows. */

import assert from "node:assert/strict";
import { CITIES, go, numberIn, test, until, usePage } from "./fixture.mjs";

const site = usePage();
let page;

const keys = () => page.locator(".row-key").allInnerTexts();
const count = async () => numberIn(await page.locator(".browse-view .latency").innerText());

test("only what is visible is read, and the order is that of the keys", async () => {
  page = await site.openLoaded("browse");
  await go(page, "browse");
  await until(count, (value) => value === CITIES, "the number of entries");
  const shown = await keys();
  assert.ok(shown.length > 10 && shown.length < 80, `${shown.length} rows`);
  assert.deepEqual(
    shown,
    [...shown].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))),
  );
  assert.match(shown[0], /^AD\//);
});

test("the other order begins with the last key, and End goes to the first one", async () => {
  await page.locator("#order").selectOption("reverse");
  await until(keys, ([first]) => first?.startsWith("ZW/"), "the first row");
  await page.locator(".virtual-list").focus();
  await page.keyboard.press("End");
  await until(keys, (shown) => shown.at(-1)?.startsWith("AD/"), "the last row");
  await page.locator("#order").selectOption("forward");
});

test("a range has its bounds", async () => {
  await page.locator("#from").fill("IS/");
  await page.locator("#before").fill("IS0");
  await until(count, (value) => value < 500, "the number of entries");
  assert.ok((await keys()).every((key) => key.startsWith("IS/")));
});

test("an index entry leads to its place", async () => {
  await page.locator("#keyspace").selectOption("names");
  await page.locator("#from").fill("reykjavik");
  await until(keys, ([first]) => first?.startsWith("reykjavik "), "the first row");
  await page.locator(".row").first().click();
  await page.locator(".browse-detail button", { hasText: "Edit" }).click();
  await until(
    () => page.locator("#entry-title").innerText(),
    (title) => title === "Reykjavík",
    "the title",
  );
});
