/** Serves the built site, and remembers what the page of each peer downloads. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { SITE } from "./places.js";

/** @type {Record<string, string>} */
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".data": "application/octet-stream" };

export class Site {
  /** @type {Map<string, number>} gzip bytes by path */
  #downloaded = new Map();
  #server = createServer((request, response) => {
    this.#answer(new URL(request.url ?? "/", "http://localhost").pathname, response).catch((error) => {
      response.writeHead(error.code === "ENOENT" ? 404 : 500).end(String(error));
    });
  });

  /** @returns {Promise<string>} the address */
  start() {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(`http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}/`);
      });
    });
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /**
   * What a first visit with this peer downloads, compressed.
   * @param {string} peer
   */
  gzipBytes(peer) {
    const sizes = [...this.#downloaded].filter(([name]) => name.startsWith(`/peers/${peer}/`)).map(([, size]) => size);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /**
   * @param {string} name
   * @param {import("node:http").ServerResponse} response
   */
  async #answer(name, response) {
    const file = path.join(SITE, path.normalize(name === "/" ? "/index.html" : name));
    const body = await readFile(file);
    if (!this.#downloaded.has(name)) {
      this.#downloaded.set(name, gzipSync(body, { level: 9 }).length);
    }
    response.writeHead(200, {
      "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream",
      "Cache-Control": "max-age=3600",
      // With these two the browser's clock is precise to 5 microseconds; no peer needs them.
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    });
    response.end(body);
  }
}
