/** Node: files in a directory, through node:fs. */

import { readFile, readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { destroyFiles, listFiles, openFiles } from "../../src/storage/web/node.js";
import { isWellFormed } from "./encoding-utf8.js";
import { SelkieError } from "./error.js";
import type { Platform } from "./platform.js";

export function nodePlatform(): Platform {
  return {
    modes: ["file"],
    wasm: () => readFile(new URL("./selkie.wasm", import.meta.url)),
    wasmLater: () => readFile(new URL("./selkie-later.wasm", import.meta.url)),
    open: (_mode, name, { directory, ...options }) => openFiles(placeOf(name, directory), options),
    destroy: (_mode, name, directory) => destroyFiles(placeOf(name, directory)),
    list: (_mode, directory) => listFiles(directory ?? "."),
    exists: async (_mode, name, directory) => (await listFiles(directory ?? ".")).includes(name),
    isLocked: async () => true,
    async usage(name, directory) {
      const place = placeOf(name, directory);
      const files = await readdir(place);
      const sizes = await Promise.all(files.map(async (file) => (await stat(join(place, file))).size));
      const usage = sizes.reduce((sum, size) => sum + size, 0);
      const { bavail, bsize } = await statfs(place);
      return { usage, quota: usage + bavail * bsize, persisted: true };
    },
    requestPersistence: async () => true,
  };
}

/** File systems have no longer names. */
const NAME_BYTES = 255;

/** A database is a directory of its name. */
function placeOf(name: string, directory = "."): string {
  const isName = isWellFormed(name) && Buffer.byteLength(name) <= NAME_BYTES;
  if (!isName || /[\\/\0]/.test(name) || name.startsWith(".")) {
    throw new SelkieError("INVALID_ARGUMENT", `${JSON.stringify(name)} is not a name for a directory`);
  }
  return join(directory, name);
}
