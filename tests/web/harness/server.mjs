/**
 * A small server for built files and test pages. It sends no COOP and no COEP headers, because the package must work without.
 *
 * Every name below `localhost` is an origin of its own with storage of its own, so that tests in one browser do not meet.
 */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** @typedef {import("node:http").IncomingMessage} Request @typedef {import("node:http").ServerResponse} Response */

/** The file that a path stands for; undefined where no folder is served there. */
function resolve(/** @type {Record<string, string>} */ folders, /** @type {string} */ path) {
  const prefix = Object.keys(folders)
    .sort((a, b) => b.length - a.length)
    .find((candidate) => path.startsWith(candidate));
  if (prefix === undefined) return undefined;
  const inside = normalize(`/${path.slice(prefix.length)}`);
  return join(folders[prefix], inside.endsWith("/") ? `${inside}index.html` : inside);
}

async function answer(/** @type {Request} */ request, /** @type {Response} */ response, folders, headers) {
  const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
  const file = resolve(folders, path);
  const found = file && (await stat(file).catch(() => undefined));
  if (!file || !found?.isFile()) {
    response.writeHead(404, { "content-type": "text/plain" }).end(`no file at ${path}`);
    return;
  }
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": found.size,
    "cache-control": "no-store",
    ...(typeof headers === "function" ? headers(request.url ?? "/") : headers),
  });
  await pipeline(createReadStream(file), response);
}

/**
 * Serves folders, each under the prefix of its path: `{ "/": pages, "/pkg/": built }`. `headers` are added to every answer, or
 * those that a function returns for a path with its query.
 *
 * @param {Record<string, string>} folders
 * @param {{ headers?: Record<string, string> | ((path: string) => Record<string, string>) }} [options]
 */
export async function serve(folders, { headers = {} } = {}) {
  const server = createServer((request, response) => {
    answer(request, response, folders, headers).catch((error) => response.destroy(error));
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    /** The address of an origin: without a name the one of all who do not care. */
    origin: (name = "") => `http://${name && `${name}.`}localhost:${port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve(undefined)));
    },
  };
}
