/** What differs between a browser and Node: how the engine is loaded, where files are, and who else has them. */

import type { WasmSource } from "./engine.js";
import type { OpenOptions, StorageMode } from "./types.js";

/** A database's files, as the engine uses them: see src/storage/host. */
export interface Host {
  readonly mode: Exclude<StorageMode, "memory">;
  readonly location: string;
  lock(): void | Promise<void>;
  /** Promises when others can have the lock. */
  unlock(): void | Promise<void>;
  list(): [string, number][] | Promise<[string, number][]>;
  create(name: string): void | Promise<void>;
  read(name: string, offset: number, length: number): Uint8Array | Promise<Uint8Array>;
  write(name: string, offset: number, data: Uint8Array, flush: boolean): void | Promise<void>;
  truncate(name: string, length: number): void | Promise<void>;
  sync(name: string): void | Promise<void>;
  syncDirectory(): void | Promise<void>;
  remove(name: string): void | Promise<void>;
  onlost?: (error: Error) => void;
}

export type HostMode = Host["mode"];

export interface HostOptions {
  readonly readOnly: boolean;
  /** Whether to wait for whoever has the lock. */
  readonly wait: boolean;
  readonly signal: AbortSignal | undefined;
  readonly worker: OpenOptions["worker"];
  readonly directory: string | undefined;
}

export interface Usage {
  readonly usage: number | undefined;
  readonly quota: number | undefined;
  readonly persisted: boolean;
}

export interface Platform {
  /** What `auto` tries, in this order. */
  readonly modes: readonly HostMode[];
  /** Where the engine is beside the script. */
  wasm(): WasmSource | Promise<WasmSource>;
  /** Where the rest of it is. */
  wasmLater(): WasmSource | Promise<WasmSource>;
  open(mode: HostMode, name: string, options: HostOptions): Promise<Host>;
  /** Tells whether there was one. */
  destroy(mode: HostMode, name: string, directory: string | undefined): Promise<boolean>;
  list(mode: HostMode, directory: string | undefined): Promise<string[]>;
  exists(mode: HostMode, name: string, directory: string | undefined): Promise<boolean>;
  /** Whether somebody has the lock on a database now. */
  isLocked(name: string): Promise<boolean>;
  /** What the origin uses and may use; in Node what the database uses and the disk has. */
  usage(name: string, directory: string | undefined): Promise<Usage>;
  requestPersistence(): Promise<boolean>;
}
