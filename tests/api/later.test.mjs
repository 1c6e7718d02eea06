// The part of the engine that is loaded when it is needed: where it is missing, or is not of this build.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { open, runApart, temporary } from "./support.mjs";

const part = new URL("../../pkg/dist/selkie-later.wasm", import.meta.url);

/** What a process of its own reports: in this one the part may be there already. */
const report = (script) => JSON.parse(runApart(`import { readFileSync } from "node:fs";
const part = new Uint8Array(readFileSync(${JSON.stringify(part.pathname)}));
const attempt = (work) => work().then(() => "done", ({ code, message }) => ({ code, message }));
const open_ = (options) => open("db", { directory: ${JSON.stringify(temporary())}, ...options });
${script}`));

test("without it everything else works, and what needs it is UNAVAILABLE until it is there", () => {
  const { failures, found, restored } = report(`
    const wasmLater = Promise.reject(new Error("no network"));
    const db = await open_({ wasmLater });
    await db.set("key", "value");
    const past = async () => { for await (const _ of db.changes({ since: 0, live: false })); };
    const failures = [await attempt(() => db.export()), await attempt(past)];
    await db.set("key", "newer");
    await (await open("other", { storage: "memory", wasmLater: part })).close();
    const blob = await db.export();
    await past();
    const { restore } = await import(${JSON.stringify(new URL("../../pkg/dist/node.js", import.meta.url).href)});
    const copy = await restore("copy", blob, { storage: "memory" });
    console.log(JSON.stringify({ failures, found: db.get("key"), restored: copy.get("key") }));
    await copy.close();
    await db.close();`);
  for (const failure of failures) {
    assert.equal(failure.code, "UNAVAILABLE");
    assert.match(failure.message, /rest of the engine cannot be loaded: no network/);
  }
  assert.deepEqual([found, restored], ["newer", "newer"]);
});

test("a follower says so when it opens, and gives its place back", () => {
  const { failure, found } = report(`
    const writer = await open_();
    await writer.set("key", "value");
    const follow = (wasmLater) => open_({ tabs: "read-only", wasmLater });
    const failure = await attempt(() => follow(new Uint8Array(8)));
    const reader = await follow(part);
    console.log(JSON.stringify({ failure, found: reader.get("key") }));
    await reader.close();
    await writer.close();`);
  assert.equal(failure.code, "UNAVAILABLE");
  assert.equal(found, "value");
});

test("a signal that comes while it is loaded ends the opening", () => {
  const { failure, found } = report(`
    const writer = await open_();
    await writer.set("key", "value");
    const aborting = new AbortController();
    const slow = new Promise((resolve) => setTimeout(() => { aborting.abort(); resolve(part); }, 50));
    const failure = await attempt(() => open_({ tabs: "read-only", wasmLater: slow, signal: aborting.signal }));
    const reader = await open_({ tabs: "read-only" });
    console.log(JSON.stringify({ failure, found: reader.get("key") }));
    await reader.close();
    await writer.close();`);
  assert.equal(failure.code, "ABORTED");
  assert.equal(found, "value");
});

test("a response serves again after a database was given another part", () => {
  const { failure, size } = report(`
    const answer = new Response(new Uint8Array(8));
    const db = await open_({ wasmLater: answer });
    const failure = [await attempt(() => db.export()), await attempt(() => db.export())];
    await (await open("other", { storage: "memory", wasmLater: new Response(part) })).close();
    console.log(JSON.stringify({ failure, size: (await db.export()).size }));
    await db.close();`);
  assert.ok(size > 0);
  assert.deepEqual(failure[0], failure[1], "the second attempt fails for the reason of the first");
});

test("what can be no module is refused at once", async () => {
  for (const wrong of [5, null, true, Symbol("part"), () => {}])
    for (const name of ["wasm", "wasmLater"])
      await assert.rejects(open("refused", { storage: "memory", [name]: wrong }), { code: "INVALID_ARGUMENT" });
});

/** The name by which the two parts know each other is in both: another one is what another build would have. */
function ofAnotherBuild() {
  const { wasm, later } = { wasm: readFileSync(new URL("../../pkg/dist/selkie.wasm", import.meta.url)), later: readFileSync(part) };
  const stamps = WebAssembly.Module.imports(new WebAssembly.Module(later)).filter(({ kind }) => kind === "global");
  assert.equal(stamps.length, 1);
  const [{ name }] = stamps;
  assert.ok(WebAssembly.Module.exports(new WebAssembly.Module(wasm)).some((other) => other.kind === "global" && other.name === name));
  const place = later.indexOf(name);
  later[place] = later[place] === 0x41 ? 0x42 : 0x41;
  return [...later];
}

test("a part of another build is refused, and the engine goes on without", () => {
  const { failure, found } = report(`
    const db = await open_({ wasmLater: new Uint8Array(${JSON.stringify(ofAnotherBuild())}) });
    await db.set("key", "value");
    const failure = await attempt(() => db.export());
    console.log(JSON.stringify({ failure, found: db.get("key") }));
    await db.close();`);
  assert.equal(failure.code, "UNAVAILABLE");
  assert.equal(found, "value");
});
