import { BrowserLevel } from "browser-level";
import type { Peer } from "../page/peer.js";
import { LevelStore } from "./level.js";

export const peer: Peer = {
  async open(name) {
    const db = new BrowserLevel<string, string>(name);
    await db.open();
    return new LevelStore(db);
  },
  destroy: (name) => BrowserLevel.destroy(name),
};
