import { getRxStorageMemory } from "rxdb/plugins/storage-memory";
import { rxdb } from "./rxdb.js";

export const peer = rxdb(() => getRxStorageMemory());
