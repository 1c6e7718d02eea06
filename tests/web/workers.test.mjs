/** Applications that live in a worker: a dedicated, a shared, or a service worker. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { inChromium, storages, test, useBrowser } from "./fixture.mjs";

const site = useBrowser();

/** Starts a worker of a kind in the page, with an entry of the package; `ask` then has it do something. */
const start = (page, kind, entry = "index") =>
  page.evaluate(
    async ([kind, script]) => {
      const starts = {
        dedicated: () => new Worker(script, { type: "module" }),
        async shared() {
          for (let attempt = 0; attempt < 3; attempt++) {
            const { port } = new SharedWorker(script, { type: "module", name: String(attempt) });
            port.start();
            if (await answers(port)) return port;
          }
          throw new Error("no shared worker has answered");
        },
        async service() {
          await navigator.serviceWorker.register(script, { type: "module" });
          const { active } = await navigator.serviceWorker.ready;
          if (active.state !== "activated") await new Promise((resolve) => (active.onstatechange = resolve));
          return active;
        },
      };
      // Now and then a shared worker of Firefox gives no answer at all. One that does not answer this was asked for nothing yet.
      const answers = (port) => {
        const { port1, port2 } = new MessageChannel();
        const answered = new Promise((resolve) => (port1.onmessage = () => resolve(true)));
        port.postMessage({ method: "ping", given: [] }, [port2]);
        return Promise.race([answered, pause(10_000).then(() => false)]);
      };
      globalThis.target = await starts[kind]();
      target.start?.();
    },
    [kind, `/scope-${entry}.js`],
  );

/** The result, or the error. */
const ask = (page, method, ...given) =>
  page.evaluate(
    ([method, given]) =>
      new Promise((resolve, reject) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => resolve(data);
        target.onerror = (event) => reject(new Error(`the worker failed: ${event.message}`));
        target.postMessage({ method, given }, [port2]);
      }),
    [method, given],
  );

/** Writes, closes, and opens again in the page. */
async function writeAndReadBack(page, options, mode) {
  const done = async (method, ...given) => {
    const { value, error } = await ask(page, method, "db", ...given);
    assert.equal(error, undefined, JSON.stringify(error));
    return value;
  };
  assert.deepEqual(await done("open", options), { mode, found: undefined });
  await done("set", "first");
  const { error } = await page.evaluate(() => outcome(() => selkie.open("db")));
  assert.equal(error?.code, "LOCKED", "the page has to wait for the worker");
  await done("checkpoint");
  await done("set", "second");
  await done("close");
  const found = await page.evaluate(async () => {
    const db = await selkie.open("db");
    const found = { mode: db.mode, found: db.get("key") };
    await db.set("key", "third");
    await db.close();
    return found;
  });
  assert.deepEqual(found, { mode, found: "second" });
  assert.deepEqual(await done("open", options), { mode, found: "third" });
  await done("close");
}

describe("an application in a worker", () => {
  for (const storage of storages) {
    test(`a dedicated worker, over ${storage}`, async () => {
      const page = await site.open();
      await start(page, "dedicated");
      await writeAndReadBack(page, { storage }, storage);
    });
  }

  // Chromium starts no workers in a shared worker, and access handles are for dedicated ones.
  test("a shared worker takes what its browser lets it have", async () => {
    const page = await site.open();
    await start(page, "shared");
    await writeAndReadBack(page, {}, inChromium ? "indexeddb" : "opfs");
  });

  test("a service worker has IndexedDB, and auto takes it", async () => {
    const page = await site.open();
    await start(page, "service", "inline");
    const opfs = await ask(page, "open", "other", { storage: "opfs" });
    assert.equal(opfs.error?.code, "UNAVAILABLE", JSON.stringify(opfs));
    await writeAndReadBack(page, {}, "indexeddb");
  });

  test("a service worker cannot load what is loaded later, and says so", async () => {
    const page = await site.open();
    await start(page, "service");
    const { error } = await ask(page, "open", "db", {});
    assert.equal(error?.code, "UNAVAILABLE", JSON.stringify(error));
    assert.match(error.message, /script of the package cannot be loaded: .*import/);
  });
});
