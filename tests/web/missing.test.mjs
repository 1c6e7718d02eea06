/** Browsers that lack a storage, or refuse it: what `auto` falls back to, and what it says when nothing is left. */

import assert from "node:assert/strict";
import { describe } from "node:test";
import { inChromium, test, useBrowser } from "./fixture.mjs";
import { launch } from "./harness/browser.mjs";
import { newProfile, removeProfile } from "./harness/profile.mjs";

const site = useBrowser({
  headers: (path) => (path === "/?strict" ? { "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src data:" } : {}),
});

/** A page in which some of the platform is taken away before any script runs. */
async function pageWithout(/** @type {() => void} */ remove) {
  const page = await site.open(undefined, "/blank.html");
  await page.addInitScript(remove);
  await page.goto(new URL("/", page.url()).href);
  return page;
}

const withoutOpfs = () => Object.defineProperty(StorageManager.prototype, "getDirectory", { value: undefined });
const withoutStorage = () => {
  Object.defineProperty(StorageManager.prototype, "getDirectory", { value: undefined });
  Object.defineProperty(globalThis, "indexedDB", { value: undefined });
};

/**
 * Opens, writes, reopens and reads: the mode in force, or the error. A script takes away from the worker what the page lacks.
 *
 * @param {{ storage?: string, script?: string }} [options]
 */
const use = (page, { script, ...options } = {}) =>
  page.evaluate(async ([options, script]) => {
    if (script) options.worker = () => new Worker(script, { type: "module" });
    const { value, error } = await outcome(async () => {
      const db = await selkie.open("db", options);
      await db.set("key", "value");
      const { mode } = await db.storage();
      await db.close();
      if (mode === "memory") return { mode };
      const again = await selkie.open("db", options);
      const found = again.get("key");
      await again.close();
      return { mode, sameMode: again.mode, found };
    });
    return value ?? { error };
  }, [options, script]);

const whole = (mode) => ({ mode, sameMode: mode, found: "value" });

describe("what a browser lacks", () => {
  test("with everything there, auto takes OPFS", async () => {
    assert.deepEqual(await use(await site.open()), whole("opfs"));
  });

  test("without OPFS, auto takes IndexedDB, and OPFS itself is UNAVAILABLE", async () => {
    const page = await pageWithout(withoutOpfs);
    const script = "/poor-worker.js#opfs";
    assert.deepEqual(await use(page, { script }), whole("indexeddb"));
    assert.equal((await use(page, { script, storage: "opfs" })).error?.code, "UNAVAILABLE");
  });

  test("when OPFS answers with an error, as in private windows, auto takes IndexedDB", async () => {
    const page = await pageWithout(() => {
      StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("Security error when calling GetDirectory", "SecurityError"));
    });
    const script = "/poor-worker.js#permission";
    assert.deepEqual(await use(page, { script }), whole("indexeddb"));
    assert.equal((await use(page, { script, storage: "opfs" })).error?.code, "UNAVAILABLE");
  });

  test("without OPFS and IndexedDB it is UNAVAILABLE, and memory is there for who asks for it", async () => {
    const page = await pageWithout(withoutStorage);
    assert.equal((await use(page, { script: "/poor-worker.js#opfs" })).error?.code, "UNAVAILABLE");
    assert.equal((await use(page, { storage: "indexeddb" })).error?.code, "UNAVAILABLE");
    assert.deepEqual(await use(page, { storage: "memory" }), { mode: "memory" });
  });

  test("when IndexedDB refuses to open, the error says so and nothing hangs", async () => {
    const page = await pageWithout(() => {
      Object.defineProperty(StorageManager.prototype, "getDirectory", { value: undefined });
      IDBFactory.prototype.open = () => {
        throw new DOMException("The operation is insecure.", "SecurityError");
      };
    });
    const { error } = await use(page, { script: "/poor-worker.js#opfs" });
    assert.equal(error?.code, "UNAVAILABLE");
    assert.match(JSON.stringify(error), /insecure/);
  });

  test("without Web Locks nothing could hold off a second writer, so that it is UNAVAILABLE", async () => {
    const page = await pageWithout(() => Object.defineProperty(Navigator.prototype, "locks", { value: undefined }));
    assert.equal((await use(page)).error?.code, "UNAVAILABLE");
  });

  test("a worker that cannot be loaded, or has no access handles, makes auto take IndexedDB", async () => {
    const page = await site.open();
    for (const script of ["/no-such-worker.js", "/poor-worker.js#handles"]) {
      const modes = await page.evaluate(async (script) => {
        const worker = () => new Worker(script, { type: "module" });
        const auto = await selkie.open("db", { worker });
        await auto.set("key", 1);
        await auto.close();
        const direct = await outcome(() => selkie.open("db", { storage: "opfs", worker }));
        await direct.value?.close();
        await selkie.destroy("db");
        return [auto.mode, direct.error?.code];
      }, script);
      assert.deepEqual(modes, ["indexeddb", "UNAVAILABLE"], script);
    }
    // Firefox reports a script that it did not load to the page as well, whoever handles that.
    site.errors = site.errors.filter(({ message }) => !message.includes("no-such-worker.js"));
  });

  test("what was written to IndexedDB while OPFS was missing is not forgotten when OPFS is there", async () => {
    const page = await pageWithout(withoutOpfs);
    assert.deepEqual(await use(page, { script: "/poor-worker.js#opfs" }), whole("indexeddb"));
    const later = await site.open(new URL("/", page.url()).origin);
    const found = await later.evaluate(async () => {
      const db = await selkie.open("db");
      return [db.mode, db.get("key")];
    });
    assert.deepEqual(found, ["indexeddb", "value"]);
  });

  test("a script that does not come is no reason to begin the database in another storage", async () => {
    const page = await pageWithout(withoutOpfs);
    assert.deepEqual(await use(page, { script: "/poor-worker.js#opfs" }), whole("indexeddb"));
    const later = await site.open(new URL("/", page.url()).origin, "/blank.html");
    await later.route("**/indexeddb.js", (route) => route.abort());
    await later.goto(new URL("/", page.url()).href);
    const [opened, destroyed, left] = await later.evaluate(async () => {
      const attempts = [await outcome(() => selkie.open("db")), await outcome(() => selkie.destroy("db"))];
      return [...attempts.map(({ error }) => error?.code), (await selkie.databases()).map(({ mode }) => mode)];
    });
    assert.deepEqual([opened, destroyed, left], ["UNAVAILABLE", "UNAVAILABLE", ["indexeddb"]]);
  });

  test("a policy for content needs to allow no more than wasm", async () => {
    const page = await site.open(undefined, "/?strict");
    for (const storage of ["opfs", "indexeddb"]) assert.deepEqual(await use(page, { storage }), whole(storage));
  });

  test("a private window of Firefox has no OPFS, and auto takes IndexedDB", { skip: inChromium && "a matter of Firefox" }, async () => {
    const profile = newProfile();
    const browser = await launch({ browser: "firefox", profile, preferences: { "browser.privatebrowsing.autostart": true } });
    try {
      const page = await browser.open(site.newOrigin());
      assert.deepEqual(await use(page), whole("indexeddb"));
      assert.equal((await use(page, { storage: "opfs" })).error?.code, "UNAVAILABLE");
    } finally {
      await browser.close();
      removeProfile(profile);
    }
  });
});
