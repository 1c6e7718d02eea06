/** Finding places while typing, by mouse and by keyboard. */

import assert from "node:assert/strict";
import { search, test, until, usePage } from "./fixture.mjs";

const site = usePage();
let page;

test("each letter narrows the places, accents or not", async () => {
  page = await site.openLoaded("search");
  const names = () => page.locator(".result-name").allInnerTexts();
  await search(page, "sao pau");
  assert.ok(
    (await until(names, (found) => found.length > 0 && found.length < 80)).every((name) => name.startsWith("São Pau")),
  );
  await search(page, "SÃO PAULO");
  await until(names, (found) => found.includes("São Paulo"));
  await search(page, "zzzz");
  await until(
    () => page.locator(".latency").first().innerText(),
    (text) => text === "No place begins like this.",
  );
});

test("the number of places is told, and how long a search takes", async () => {
  await search(page, "san ");
  const text = await until(
    () => page.locator(".latency").first().innerText(),
    (text) => /read in [\d.]+ (µs|ms)/.test(text),
    "the latency",
  );
  assert.match(text, /^3,\d{3} places, 80 shown, read in/);
});

test("the keyboard alone finds and opens a place and comes back", async () => {
  await page.locator("#search").fill("reykj");
  await page.locator(".result").nth(1).waitFor();
  await page.locator("#search").press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ""), /Reykjavík/);
  await page.keyboard.press("Enter");
  await until(
    () => page.evaluate(() => document.activeElement?.id),
    (id) => id === "entry-title",
    "the focus",
  );
  assert.match(decodeURIComponent(page.url()), /#search\/IS\/Reykjavík\//);
  await page.goBack();
  await page.locator(".entry").first().waitFor({ state: "hidden" });
});

test("the tried examples fill the box", async () => {
  await page.locator(".tries button", { hasText: "Kami" }).click();
  await until(
    () => page.locator(".result-name").first().innerText(),
    (name) => name.startsWith("Kami"),
  );
});
