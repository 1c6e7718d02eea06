/** Editing, deleting and restoring a place; the index and the history follow. */

import assert from "node:assert/strict";
import { openPlace, search, test, until, usePage } from "./fixture.mjs";

const site = usePage();
let page;

const field = (name) => page.locator(`.entry-form [name=${name}]`);
const save = () => page.locator(".entry-form button[type=submit]").click();
const versions = () => page.locator(".version-what").allInnerTexts();

test("a note is kept over a reload", async () => {
  page = await site.openLoaded("edit");
  await openPlace(page, "reykjavik");
  await field("note").fill("Seals in the bay");
  await save();
  await until(versions, ([newest]) => newest === "note: none → Seals in the bay", "the history");
  await page.reload();
  await page.locator(".entry-form").waitFor();
  assert.equal(await field("note").inputValue(), "Seals in the bay");
});

test("a new name is found, and the old one no longer", async () => {
  await field("name").fill("Smoke Bay");
  await save();
  await until(
    () => page.locator("#entry-title").innerText(),
    (title) => title === "Smoke Bay",
    "the title",
  );
  await search(page, "smoke b");
  await until(
    () => page.locator(".result-name").allInnerTexts(),
    (names) => names.includes("Smoke Bay"),
  );
  await search(page, "reykjavik");
  await until(
    () => page.locator(".latency").first().innerText(),
    (text) => text === "No place begins like this.",
  );
});

test("a deleted place is gone but for its history, from which it comes back", async () => {
  await page.locator(".entry-form .danger").click();
  await page.locator(".gone").waitFor();
  await search(page, "smoke b");
  await until(
    () => page.locator(".result").count(),
    (count) => count === 0,
  );
  assert.equal((await versions())[0], "deleted");
  await page.locator(".versions button", { hasText: "Restore" }).last().click();
  await until(
    () => page.locator("#entry-title").innerText(),
    (title) => title === "Reykjavík",
    "the title",
  );
  await search(page, "reykjavik");
  await until(
    () => page.locator(".result").count(),
    (count) => count === 1,
  );
});

test("a value that is none is refused by the form, and the database is left as it was", async () => {
  const before = await page.locator(".status [data-fact=version] dd").innerText();
  // Firefox's driver appends to a number instead of filling it in.
  await field("latitude").press("Control+a");
  await field("latitude").pressSequentially("123");
  await save();
  assert.equal(await field("latitude").evaluate((input) => input.validity.rangeOverflow), true);
  assert.equal(await page.locator(".status [data-fact=version] dd").innerText(), before);
});
