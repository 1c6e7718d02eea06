/**
 * No engine, but the least that commits on OPFS can be: those of one turn cross as one message, become one write at the end of
 * a file, with a flush where it is strict, and are answered by one message. What was written is kept in a `Map`, which a later page fills from the file.
 */
import type { Durability, Entry } from "../page/peer.js";
import { serve, type WorkerEngine } from "./serve-worker.js";

const encoder = new TextEncoder();

class FileEngine implements WorkerEngine {
  readonly #records = new Map<string, string>();
  #file!: FileSystemSyncAccessHandle;
  #end = 0;
  #unwritten = "";
  #flushes = false;

  async open(name: string, durability: Durability): Promise<void> {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle(name, { create: true });
    this.#file = await handle.createSyncAccessHandle();
    this.#flushes = durability === "strict";
    const bytes = new Uint8Array(this.#file.getSize());
    this.#end = this.#file.read(bytes);
    for (const line of new TextDecoder().decode(bytes).split("\n").slice(0, -1)) this.#apply(JSON.parse(line));
  }

  get(key: string): string | undefined {
    return this.#records.get(key);
  }

  getMany(keys: string[]): (string | undefined)[] {
    return keys.map((key) => this.#records.get(key));
  }

  range100(from: string): Entry[] {
    return this.#sorted().filter(([key]) => key >= from).slice(0, 100);
  }

  put(key: string, value: string): void {
    this.#commit([[key, value]]);
  }

  bulk(entries: Entry[]): void {
    this.#commit(entries);
  }

  deleteRange(from: string, to: string): void {
    this.#commit(this.#sorted().flatMap(([key]) => (key >= from && key < to ? [[key]] : [])));
  }

  wasmBytes(): number {
    return 0;
  }

  close(): void {
    this.#file.close();
  }

  async destroy(name: string): Promise<void> {
    await (await navigator.storage.getDirectory()).removeEntry(name);
  }

  #sorted(): Entry[] {
    return [...this.#records].sort(([left], [right]) => (left < right ? -1 : 1));
  }

  /** A key without a value is removed. */
  #commit(entries: (Entry | [key: string])[]): void {
    this.#unwritten += `${JSON.stringify(entries)}\n`;
    this.#apply(entries);
  }

  settle(): void {
    if (this.#unwritten === "") return;
    this.#end += this.#file.write(encoder.encode(this.#unwritten), { at: this.#end });
    this.#unwritten = "";
    if (this.#flushes) this.#file.flush();
  }

  #apply(entries: (Entry | [key: string])[]): void {
    for (const [key, value] of entries) {
      if (value === undefined) this.#records.delete(key);
      else this.#records.set(key, value);
    }
  }
}

serve(new FileEngine());
