/** Going back in time. */

import assert from "node:assert/strict";
import { CITIES, fact, go, numberIn, openPlace, test, until, usePage } from "./fixture.mjs";

const site = usePage();
let page;

const then = async () => numberIn(await fact(page, "Places then"));
const title = () => page.locator(".changes h2").innerText();
const change = () => page.locator(".change-list li").innerText();

test("the newest step is the last edit, and says what it changed", async () => {
  page = await site.openLoaded("history");
  await openPlace(page, "reykjavik");
  await page.locator(".entry-form [name=note]").fill("Capital");
  await page.locator(".entry-form button[type=submit]").click();
  await until(
    () => page.locator(".version-what").count(),
    (count) => count === 2,
  );
  await go(page, "history");
  await until(title, (text) => text === "Edit", "the step");
  await until(change, (text) => /Reykjavík\s+note: none → Capital/.test(text), "the change");
});

test("an earlier moment has fewer places, and the newest all of them", async () => {
  const slider = page.locator("#moment");
  await slider.focus();
  await page.keyboard.press("Home");
  await until(title, (text) => text.startsWith("Loaded"), "the first step");
  const first = await until(then, (count) => count < CITIES, "the places then");
  await page.locator(".slider button", { hasText: "Later" }).click();
  assert.ok((await until(then, (count) => count > first)) < CITIES);
  await slider.focus();
  await page.keyboard.press("End");
  await until(then, (count) => count === CITIES, "the places then");
});

test("as of the time of the load the edit is not made yet, and an undo takes it back", async () => {
  await page.locator(".slider button", { hasText: "Earlier" }).click();
  await until(title, (text) => text.startsWith("Loaded"));
  await page.locator(".slider button", { hasText: "Later" }).click();
  await until(title, (text) => text === "Edit");
  await page.locator(".changes button", { hasText: "Undo" }).click();
  await until(title, (text) => text === "Restore");
  await until(change, (text) => text.includes("note: Capital → none"), "the change");
});

test("as of a moment before everything is the first step", async () => {
  await page.locator(".as-of input").fill("2020-01-01T00:00:01");
  await page.locator(".as-of button").click();
  await until(
    () => page.locator("#moment").inputValue(),
    (value) => value === "0",
    "the slider",
  );
});
