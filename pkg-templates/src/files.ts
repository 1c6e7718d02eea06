/** The raw files of a database, out and in: native programs read and write the same ones. */

import { coded } from "../../src/storage/web/errors.js";
import type { Host } from "./platform.js";

export type FileSource = Blob | Uint8Array;

/** Files cross in pieces of this size, so that none stands in memory as a whole. */
const PIECE_BYTES = 4 << 20;

/** What a database's files are called. Anything else could lead out of its directory. */
const NAME = /^(database|[0-9a-f]{16}\.(log|snapshot))$/;

export async function copyOut(host: Host): Promise<Map<string, Blob>> {
  try {
    // Whoever writes would change the files while they are copied.
    await host.lock();
    const files = new Map<string, Blob>();
    const entries = await host.list();
    if (entries.length === 0) throw coded("NOT_FOUND", `there is no database in ${host.location}`);
    for (const [name, length] of entries) {
      const parts: BlobPart[] = [];
      for (let at = 0; at < length; at += PIECE_BYTES) {
        parts.push((await host.read(name, at, Math.min(PIECE_BYTES, length - at))) as Uint8Array<ArrayBuffer>);
      }
      files.set(name, new Blob(parts));
    }
    return files;
  } finally {
    await host.unlock();
  }
}

const invalid = (message: string): Error => coded("INVALID_ARGUMENT", message);

/** Refuses what are no files of a database. */
export function checkFiles(files: Iterable<[string, FileSource]>): [string, FileSource][] {
  if (typeof files?.[Symbol.iterator] !== "function")
    throw invalid("files are pairs of a name and a Blob or Uint8Array");
  const checked = [...files];
  const names = new Set<string>();
  for (const pair of checked) {
    if (!Array.isArray(pair)) throw invalid("files are pairs of a name and a Blob or Uint8Array");
    const [name, source] = pair;
    if (!NAME.test(name)) throw invalid(`${JSON.stringify(name)} is not a file of a database`);
    if (!(source instanceof Blob) && !(source instanceof Uint8Array))
      throw invalid(`the file ${name} is no Blob or Uint8Array`);
    if (names.has(name)) throw invalid(`the file ${name} is there twice`);
    names.add(name);
  }
  if (!names.has("database")) throw invalid("a database has a file `database`");
  // It makes them a database, and comes last.
  return checked.sort(([a], [b]) => Number(a === "database") - Number(b === "database"));
}

export async function copyIn(host: Host, files: [string, FileSource][]): Promise<void> {
  const written: string[] = [];
  try {
    await host.lock();
    if ((await host.list()).length > 0) throw coded("EXISTS", `there is a database in ${host.location} already`);
    for (const [name, source] of files) {
      await host.create(name);
      written.push(name);
      await copyFile(host, name, source instanceof Blob ? source : new Blob([source as Uint8Array<ArrayBuffer>]));
      await host.syncDirectory();
    }
  } catch (error) {
    for (const name of written) await removeQuietly(host, name);
    throw error;
  } finally {
    await host.unlock();
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
