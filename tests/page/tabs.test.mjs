/** A second tab follows the first one, and takes over from it. */

import assert from "node:assert/strict";
import { go, openPlace, test, until, usePage } from "./fixture.mjs";

const site = usePage();

test("the second tab only reads, sees edits as they become durable, and takes over when the first is closed", async () => {
  const first = await site.openLoaded("tabs");
  await openPlace(first, "reykjavik");
  const address = first.url();
  const second = await site.open("tabs");
  assert.match(await second.locator(".status [data-fact=durability] dd").innerText(), /read-only/);
  await second.goto(address);
  await second.locator(".entry h2").first().waitFor();
  assert.equal(await second.locator(".entry-form").count(), 0);

  await first.locator(".entry-form [name=note]").fill("Seen in both");
  await first.locator(".entry-form button[type=submit]").click();
  await until(
    () => second.locator(".version-what").allInnerTexts(),
    ([newest]) => newest === "note: none → Seen in both",
    "the second tab's history",
  );

  await go(second, "storage");
  await second.locator("#take-over").click();
  await first.close();
  await until(
    () => second.locator(".status [data-fact=durability] dd").innerText(),
    (text) => text === "immediate",
    "the durability",
  );
  await second.goto(address);
  await second.locator(".entry-form [name=note]").fill("Written by the second");
  await second.locator(".entry-form button[type=submit]").click();
  await until(
    () => second.locator(".version-what").first().innerText(),
    (text) => text === "note: Seen in both → Written by the second",
    "the history",
  );
});
