import type { Peer } from "../page/peer.js";
import { destroyInWorker, openInWorker } from "./rpc.js";

const worker = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" });

export const peer: Peer = {
  open: (name, durability) => openInWorker(worker(), name, durability),
  destroy: (name) => destroyInWorker(worker(), name),
};
