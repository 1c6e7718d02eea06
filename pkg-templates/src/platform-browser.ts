/** Browsers: OPFS, else IndexedDB. */

import { scriptMissing } from "../../src/storage/web/errors.js";
import { existsIndexedDb, listIndexedDb } from "../../src/storage/web/indexeddb-list.js";
import { destroyOpfs, existsOpfs, listOpfs, openOpfs } from "../../src/storage/web/opfs.js";
import type { WasmSource } from "./engine.js";
import type { Platform, Usage } from "./platform.js";

export interface Beside {
  wasm(): WasmSource;
  wasmLater(): WasmSource;
  worker(): Worker;
}

/** The platform with the files that stand beside the script, or inside it. */
export function browserPlatform(beside: Beside): Platform {
  return {
    modes: ["opfs", "indexeddb"],
    wasm: beside.wasm,
    wasmLater: beside.wasmLater,
    async open(mode, name, { worker = beside.worker, ...options }) {
      return mode === "opfs" ? openOpfs(name, { ...options, worker }) : (await indexedDb()).openIndexedDb(name, options);
    },
    async destroy(mode, name) {
      if (mode === "opfs") return destroyOpfs(name);
      return (await existsIndexedDb(name)) && (await indexedDb()).destroyIndexedDb(name);
    },
    list: (mode) => (mode === "opfs" ? listOpfs() : listIndexedDb()),
    exists: async (mode, name) => (mode === "opfs" ? existsOpfs(name) : existsIndexedDb(name)),
    async isLocked(name) {
      const { held = [] } = await navigator.locks.query();
      return held.some((lock) => lock.name === `selkie:${name}`);
    },
    usage,
    async requestPersistence() {
      const storage = navigator.storage as Partial<StorageManager> | undefined;
      return (await storage?.persist?.()) ?? false;
    },
  };
}

/** Loaded where it is used: most pages have OPFS. */
const indexedDb = () => import("../../src/storage/web/indexeddb.js").catch(scriptMissing);

async function usage(): Promise<Usage> {
  const storage = navigator.storage as Partial<StorageManager> | undefined;
  const estimate = await storage?.estimate?.();
  const persisted = (await storage?.persisted?.()) ?? false;
  return { usage: estimate?.usage, quota: estimate?.quota, persisted };
}
