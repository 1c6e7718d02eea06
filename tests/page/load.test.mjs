/** Loading the data set: progress, the state it leaves, and a load that is cut short. */

import assert from "node:assert/strict";
import { CITIES, browserName, go, numberIn, test, until, usePage } from "./fixture.mjs";
import { longestTask } from "../web/harness/tasks.mjs";

const site = usePage();

test("the bar moves, what is durable never exceeds what is applied, and the page can be used meanwhile", async () => {
  const page = await site.open("load");
  await page.locator("#load").click();
  const seen = [];
  for (;;) {
    const sample = await page.evaluate(() => {
      const text = document.querySelector(".load-text")?.textContent ?? "";
      return { text, isDone: document.querySelector(".load-report") !== null };
    });
    const [applied, , durable] = (sample.text.match(/[\d,]+/g) ?? []).map((part) => Number(part.replaceAll(",", "")));
    if (durable !== undefined) seen.push([applied, durable]);
    if (sample.isDone) break;
  }
  assert.ok(seen.length > 3, "progress was shown");
  assert.ok(
    seen.every(([applied, durable]) => durable <= applied),
    JSON.stringify(seen),
  );
  assert.ok(new Set(seen.map(([applied]) => applied)).size > 3, "it moved");
  const report = await page.locator(".load-report").innerText();
  assert.equal(numberIn(report), CITIES);
  assert.match(report, browserName === "chromium" ? /main thread/ : /does not report/);
  await until(
    () => page.locator(".status [data-fact=durable] dd").innerText(),
    (text) => text === "all",
    "durable",
  );
});

if (browserName === "chromium") {
  test("no task of the main thread takes more than 50 ms of the processor while the data loads", async () => {
    const page = await site.open("tasks");
    const longestMs = await longestTask(site.browser, page, async () => {
      await page.locator("#load").click();
      await page.locator(".load-report").waitFor({ timeout: 60_000 });
    });
    console.log(`longest task while loading: ${longestMs.toFixed(1)} ms`);
    assert.ok(longestMs <= 50, `${longestMs} ms`);
  });
}

test("a load that a reload cuts short goes on from where the last durable commit was", async () => {
  const page = await site.open("cut");
  await page.locator("#load").click();
  await page.waitForFunction(
    () =>
      Number((document.querySelector(".load-text")?.textContent ?? "").split(" of ")[0].replaceAll(",", "")) > 20_000,
  );
  await page.reload();
  await page.locator("#load", { hasText: "Go on" }).waitFor();
  const rest = numberIn((await page.locator(".load-panel p").innerText()).replace(/^.*after /, ""));
  assert.ok(rest > 0 && rest < CITIES, `cut after ${rest}`);
  await page.locator("#load").click();
  const report = await page.locator(".load-report").innerText({ timeout: 60_000 });
  assert.equal(numberIn(report), CITIES - rest);
  await go(page, "browse");
  await until(
    () => page.locator(".browse-view .latency").innerText(),
    (text) => numberIn(text) === CITIES,
    "the number of cities",
  );
});

test("after a reload the data is there without loading", async () => {
  const page = await site.open("cut");
  await until(
    () => page.locator(".latency").first().innerText(),
    (text) => numberIn(text) === CITIES,
    "the number of places",
  );
  assert.equal(await page.locator("#load").count(), 0);
});
