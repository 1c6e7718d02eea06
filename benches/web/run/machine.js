/** What the figures depend on: the machine, and what a sync costs on the disk that holds the profiles. */
import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { PROFILES } from "./places.js";
import { median } from "./results.js";

const SYNCS = 200;
const APPENDED_BYTES = 100;

export function machine() {
  const [cpu] = os.cpus();
  return {
    cpu: cpu?.model ?? "unknown",
    cores: os.cpus().length,
    system: `${os.type()} ${os.release()}`,
    memoryGb: Math.round(os.totalmem() / 1e9),
    appendAndSyncUs: appendAndSyncUs(),
  };
}

function appendAndSyncUs() {
  mkdirSync(PROFILES, { recursive: true });
  const file = path.join(PROFILES, "sync");
  const handle = openSync(file, "w");
  const times = Array.from({ length: SYNCS }, () => {
    const start = performance.now();
    writeSync(handle, Buffer.alloc(APPENDED_BYTES));
    fdatasyncSync(handle);
    return (performance.now() - start) * 1000;
  });
  closeSync(handle);
  rmSync(file);
  return Math.round(median(times) ?? 0);
}
