/** Killing the worker, or the page where there is none, in the middle of a stream of commits. */

import assert from "node:assert/strict";
import { go, numberIn, test, until, usePage } from "./fixture.mjs";

const KILLS = 3;
const site = usePage();
let page;

const part = async (name) => numberIn(await page.locator(`[data-part=${name}]`).innerText());
const choose = async (storage) => {
  await go(page, "storage");
  await page.locator("#storage-choice").selectOption(storage);
  const mode = { opfs: "OPFS", indexeddb: "IndexedDB", memory: "Memory" }[storage];
  await until(
    () => page.locator(".status [data-fact=storage] dd").innerText(),
    (text) => text === mode,
    "the storage",
  );
  await go(page, "recovery");
};

async function cut() {
  await page.locator("#kill").click();
  await page.locator("#kill").waitFor({ state: "detached" });
  const verdict = await page.locator(".outcome h2").innerText({ timeout: 30_000 });
  assert.match(verdict, /^Every acknowledged commit is there/);
  assert.ok((await part("acknowledged")) > 0, "some were acknowledged");
  assert.equal(await part("missing"), 0);
}

test("the worker is killed again and again, and no acknowledged commit is lost", async () => {
  page = await site.open("recovery");
  await choose("opfs");
  for (let kill = 1; kill <= KILLS; kill++) {
    await cut();
    assert.equal(await page.locator(".runs li").count(), kill);
  }
  assert.deepEqual(await page.locator(".notice.error").allInnerTexts(), []);
});

test("after a kill the database takes commits again", async () => {
  const version = async () => numberIn(await page.locator(".status [data-fact=version] dd").innerText());
  const before = await version();
  await cut();
  assert.ok((await version()) > before);
});

test("on IndexedDB the page says that it reloads itself instead, and does", async () => {
  await choose("indexeddb");
  assert.match(await page.locator(".about").innerText(), /no worker of ours to kill/);
  await cut();
});

test("in memory there is nothing to recover, and the page says so", async () => {
  await choose("memory");
  assert.match(await page.locator(".about").innerText(), /Memory survives nothing/);
  assert.equal(await page.locator("#kill").isDisabled(), true);
});
