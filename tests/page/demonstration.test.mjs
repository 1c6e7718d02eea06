/** The main job of the page in one go, as `cargo xtask demo --check` runs it. */

import assert from "node:assert/strict";
import { CITIES, fact, go, numberIn, search, test, until, usePage } from "./fixture.mjs";

const site = usePage();

test("the page loads the data, finds a place, and loses no acknowledged commit when its worker is killed", async () => {
  const page = await site.openLoaded("demonstration");
  console.log(await page.locator(".load-report").innerText());
  await search(page, "reykjav");
  await until(
    () => page.locator(".result-name").allInnerTexts(),
    (names) => names.includes("Reykjavík"),
    "the list of places",
  );
  console.log(
    await until(
      () => page.locator(".latency").first().innerText(),
      (text) => /\d (µs|ms)/.test(text),
      "the latency",
    ),
  );
  await go(page, "recovery");
  await page.locator("#kill").click();
  const verdict = await page.locator(".outcome h2").innerText({ timeout: 30_000 });
  console.log(await page.locator(".recovery-view .moment").innerText(), verdict);
  assert.match(verdict, /^Every acknowledged commit is there/);
  assert.ok(numberIn(verdict) > 0);
  assert.equal(numberIn(await fact(page, "Places", ".outcome")), CITIES);
});
