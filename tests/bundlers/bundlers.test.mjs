/** The package works with the bundlers people use, without one, and in Node: build, serve, write, reload, read back. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "../web/harness/browser.mjs";
import { newProfile, removeProfile } from "../web/harness/profile.mjs";
import { serve } from "../web/harness/server.mjs";
import { execute, newProject, startServer } from "./project.mjs";

// What the README says is enough.
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

let profile;
let browser;

before(async () => {
  profile = newProfile();
  browser = await launch({ profile });
});

after(async () => {
  await browser?.close();
  removeProfile(profile);
});

async function outcome(page) {
  await page.waitForFunction(() => globalThis.outcome !== undefined);
  return page.evaluate(() => globalThis.outcome);
}

/** The first visit finds nothing and writes; after a reload what it wrote is there. */
async function visitTwice(address) {
  const page = await browser.open(address);
  const files = new Set();
  page.on("request", (request) => files.add(new URL(request.url()).pathname));
  assert.deepEqual(await outcome(page), { before: 0, mode: "opfs", isExported: true, isolated: false });
  await page.reload();
  assert.deepEqual(await outcome(page), { before: 1, mode: "opfs", isExported: true, isolated: false });
  await page.close();
  return [...files];
}

async function build(name) {
  const folder = await newProject(name);
  await execute(folder, "npm", ["run", "build"]);
  return folder;
}

/** Serves a project's files as they are, with the visits of each page in a database of its own. */
async function served(folder, work, options) {
  const server = await serve({ "/": folder }, options);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

async function running(folder, program, args, work) {
  const server = await startServer(folder, program, args);
  try {
    return await work(server.origin);
  } finally {
    await server.close();
  }
}

/** The engine is in two files. */
const wasmFiles = (files) => files.filter((file) => file.endsWith(".wasm"));

test("vite: build, and the development server", async () => {
  const folder = await build("vite");
  const files = await served(`${folder}/dist`, ({ origin }) => visitTwice(`${origin()}/`));
  assert.equal(wasmFiles(files).length, 2);
  await running(folder, "vite", ["--strictPort"], (origin) => visitTwice(`${origin}/`));
});

test("webpack", async () => {
  const folder = await build("webpack");
  const files = await served(folder, ({ origin }) => visitTwice(`${origin()}/`));
  assert.equal(wasmFiles(files).length, 2);
});

test("rollup: selkie/inline, and the other files as assets", async () => {
  const folder = await build("rollup");
  await served(folder, async ({ origin }) => {
    assert.deepEqual(wasmFiles(await visitTwice(`${origin("inline")}/inline.html`)), []);
    assert.equal(wasmFiles(await visitTwice(`${origin("assets")}/assets.html`)).length, 2);
  });
});

test("esbuild: selkie/inline, and the options wasm, wasmLater and worker", async () => {
  const folder = await build("esbuild");
  await served(folder, async ({ origin }) => {
    assert.deepEqual(wasmFiles(await visitTwice(`${origin("inline")}/inline.html`)), []);
    const files = await visitTwice(`${origin("options")}/options.html`);
    const names = ["selkie-later.wasm", "selkie.wasm"];
    assert.deepEqual(wasmFiles(files).sort(), names.map((name) => `/node_modules/selkie/dist/${name}`));
  });
});

test("next: a client component, and the server renders it untouched", async () => {
  const folder = await build("next");
  await running(folder, "next", ["start"], async (origin) => {
    const rendered = await (await fetch(origin)).text();
    assert.match(rendered, /From the server/);
    assert.match(rendered, /From the client component/);
    await visitTwice(`${origin}/`);
  });
});

test("script: a plain script tag under a strict content security policy, and selkie/inline", async () => {
  const folder = await newProject("script");
  const headers = (path) => (path === "/inline.html" ? {} : { "content-security-policy": POLICY });
  await served(folder, async ({ origin }) => {
    await visitTwice(`${origin()}/`);
    assert.deepEqual(wasmFiles(await visitTwice(`${origin("inline")}/inline.html`)), []);
  }, { headers });
});

test("node: the same package over the file system", async () => {
  const folder = await newProject("node");
  for (const before of [0, 1]) {
    const printed = await execute(folder, process.execPath, ["main.js"]);
    assert.deepEqual(JSON.parse(printed), { before, mode: "file", isExported: true });
  }
});
