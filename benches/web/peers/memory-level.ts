import { MemoryLevel } from "memory-level";
import type { Peer } from "../page/peer.js";
import { LevelStore } from "./level.js";

export const peer: Peer = {
  async open() {
    const db = new MemoryLevel<string, string>();
    await db.open();
    return new LevelStore(db);
  },
  async destroy() {
    // It ends with the page.
  },
};
