/** What the engine tells about itself, by name. */

import type { CoreDatabase } from "#core";
import { memoryBytes } from "./memory.js";
import type { Recovery, SnapshotInfo, Stats } from "./types.js";

export function statsOf(core: CoreDatabase): Stats {
  const [
    keys = 0,
    versions = 0,
    liveBytes = 0,
    historyBytes = 0,
    version = 0,
    durableVersion = 0,
    readers = 0,
    oldestReader = 0,
    longestReaderMs = 0,
    readersEnded = 0,
    queuedBytes = 0,
    stalls = 0,
    logBytes = 0,
    logWrites = 0,
    logSyncs = 0,
    logRotations = 0,
    snapshotFailures = 0,
    snapshotVersion = -1,
    snapshotBytes = -1,
  ] = core.stats();
  return {
    keys,
    versions,
    liveBytes,
    historyBytes,
    version,
    durableVersion,
    readers,
    oldestReader,
    longestReaderMs,
    readersEnded,
    queuedBytes,
    stalls,
    logBytes,
    logWrites,
    logSyncs,
    logRotations,
    snapshotVersion: snapshotVersion < 0 ? undefined : snapshotVersion,
    snapshotBytes: snapshotBytes < 0 ? undefined : snapshotBytes,
    snapshotFailures,
    snapshotError: core.snapshot_error(),
    poisoned: core.poisoned(),
    wasmMemoryBytes: memoryBytes(),
  };
}

export function recoveryOf(core: CoreDatabase): Recovery {
  const [created, snapshot, snapshotEntries, segments, framesReplayed, bytesCut, ignoredFiles, durationMs] =
    core.recovery() as [boolean, string | undefined, number, number, number, number, string[], number];
  return { created, snapshot, snapshotEntries, segments, framesReplayed, bytesCut, ignoredFiles, durationMs };
}

export function snapshotInfoOf(row: number[]): SnapshotInfo {
  const [version = 0, bytes = 0, entries = 0] = row;
  return { version, bytes, entries };
}
