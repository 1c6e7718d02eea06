import { getRxStorageDexie } from "rxdb/plugins/storage-dexie";
import { rxdb } from "./rxdb.js";

export const peer = rxdb((durability) => getRxStorageDexie({ chromeTransactionDurability: durability === "strict" ? "strict" : "relaxed" }));
