// Runs the suite in a page of headless Chromium, which reports to the server that it came from.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const LIMIT_MS = 20 * 60_000;
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };

/** abstract-level and tape need these of Node; selkie itself needs none. */
async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: ["page.mjs"],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    define: { global: "globalThis", __dirname: '"/"' },
    inject: ["polyfills.mjs"],
    alias: { stream: "stream-browserify", path: "path-browserify" },
    logLevel: "warning",
  });
  return outputFiles[0].contents;
}

/** Answers with what the page found in this storage. */
export async function openPage(storage) {
  const script = await bundle();
  const profile = mkdtempSync(path.join(tmpdir(), "selkie-chromium-"));
  let browser;
  const { server, result } = serve(script);
  try {
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${server.address().port}/?${storage}`;
    const flags = [...FLAGS, `--user-data-dir=${profile}`, address];
    // In a group of its own, so that its own children end with it.
    browser = spawn(process.env.CHROMIUM ?? "chromium", flags, { stdio: "ignore", detached: true });
    const ended = new Promise((_, reject) => {
      browser.once("error", reject);
      browser.once("exit", (code) => reject(new Error(`Chromium ended with ${code} before the suite did`)));
    });
    return await Promise.race([result, ended, timeLimit()]);
  } finally {
    browser?.removeAllListeners("exit");
    await stop(browser);
    server.closeAllConnections();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

function timeLimit() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`the suite took more than ${LIMIT_MS / 60_000} minutes`)), LIMIT_MS).unref();
  });
}

async function stop(browser) {
  if (browser === undefined || browser.exitCode !== null) return;
  const gone = new Promise((resolve) => browser.once("exit", resolve));
  process.kill(-browser.pid, "SIGKILL");
  await gone;
}

/** Serves the page, the bundle, and the package's files beside it; takes the page's reports. */
function serve(script) {
  let finish;
  let fail;
  const result = new Promise((resolve, reject) => ([finish, fail] = [resolve, reject]));
  const server = createServer(async (request, response) => {
    const name = new URL(request.url, "http://page").pathname;
    if (request.method === "POST") {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = JSON.parse(Buffer.concat(chunks));
      if (name === "/result") finish(body);
      else fail(new Error(`the page failed: ${body}`));
      return response.end();
    }
    if (name === "/")
      return response
        .setHeader("content-type", "text/html")
        .end("<!doctype html><script type=module src=/bundle.js></script>");
    response.setHeader("content-type", TYPES[path.extname(name)] ?? "text/plain");
    if (name === "/bundle.js") return response.end(script);
    try {
      response.end(readFileSync(path.join(here, "node_modules/selkie/dist", path.basename(name))));
    } catch {
      response.writeHead(404).end();
    }
  });
  return { server, result };
}
