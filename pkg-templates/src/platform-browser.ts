/** Browsers: OPFS, else IndexedDB. */

import { destroyIndexedDb, listIndexedDb, openIndexedDb } from "../../src/storage/web/indexeddb.js";
import { destroyOpfs, existsOpfs, listOpfs, openOpfs } from "../../src/storage/web/opfs.js";
import type { WasmSource } from "./engine.js";
import type { Platform, Usage } from "./platform.js";

export interface Beside {
  wasm(): WasmSource;
  worker(): Worker;
}

/** The platform with the files that stand beside the script, or inside it. */
export function browserPlatform(beside: Beside): Platform {
  return {
    modes: ["opfs", "indexeddb"],
    wasm: beside.wasm,
    open(mode, name, { worker = beside.worker, ...options }) {
      return mode === "opfs" ? openOpfs(name, { ...options, worker }) : openIndexedDb(name, options);
    },
    destroy: (mode, name) => (mode === "opfs" ? destroyOpfs(name) : destroyIndexedDb(name)),
    list: (mode) => (mode === "opfs" ? listOpfs() : listIndexedDb()),
    exists: async (mode, name) => (mode === "opfs" ? existsOpfs(name) : (await listIndexedDb()).includes(name)),
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

async function usage(): Promise<Usage> {
  const storage = navigator.storage as Partial<StorageManager> | undefined;
  const estimate = await storage?.estimate?.();
  const persisted = (await storage?.persisted?.()) ?? false;
  return { usage: estimate?.usage, quota: estimate?.quota, persisted };
}
