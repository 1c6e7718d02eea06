/** The raw files of a database, out and in: native programs read and write the same ones. */

import { SelkieError, fromPlatform } from "./error.js";
import type { Host } from "./platform.js";

export type FileSource = Blob | Uint8Array;

/** Files cross in pieces of this size, so that none stands in memory as a whole. */
const PIECE_BYTES = 4 << 20;

export async function copyOut(host: Host): Promise<Map<string, Blob>> {
  try {
    const files = new Map<string, Blob>();
    const entries = await host.list();
    if (entries.length === 0) throw new SelkieError("NOT_FOUND", `there is no database in ${host.location}`);
    for (const [name, length] of entries) {
      const parts: BlobPart[] = [];
      for (let at = 0; at < length; at += PIECE_BYTES) {
        parts.push((await host.read(name, at, Math.min(PIECE_BYTES, length - at))) as Uint8Array<ArrayBuffer>);
      }
      files.set(name, new Blob(parts));
    }
    return files;
  } catch (error) {
    throw fromPlatform(error, "IO");
  } finally {
    host.unlock();
  }
}

export async function copyIn(host: Host, files: Iterable<[string, FileSource]>): Promise<void> {
  const written: string[] = [];
  try {
    await host.lock();
    if ((await host.list()).length > 0) throw new SelkieError("IO", `there is a database in ${host.location} already`);
    // The file `database` makes it one, and comes last.
    const ordered = [...files].sort(([a], [b]) => Number(a === "database") - Number(b === "database"));
    for (const [name, source] of ordered) {
      await host.create(name);
      written.push(name);
      await copyFile(host, name, source instanceof Blob ? source : new Blob([source as Uint8Array<ArrayBuffer>]));
      await host.syncDirectory();
    }
  } catch (error) {
    for (const name of written) await removeQuietly(host, name);
    throw fromPlatform(error, "IO");
  } finally {
    host.unlock();
  }
}

async function copyFile(host: Host, name: string, source: Blob): Promise<void> {
  for (let at = 0; at < source.size; at += PIECE_BYTES) {
    const piece = new Uint8Array(await source.slice(at, at + PIECE_BYTES).arrayBuffer());
    await host.write(name, at, piece, false);
  }
  await host.sync(name);
}

async function removeQuietly(host: Host, name: string): Promise<void> {
  try {
    await host.remove(name);
  } catch {
    // The first error is the one to tell. What is left has no file `database`, so that nothing opens it.
  }
}
