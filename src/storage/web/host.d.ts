/** What JavaScript has to offer so that the engine can keep a database in it: a flat set of append-only files. */
export interface Host {
  readonly mode: "opfs" | "indexeddb" | "file";
  /** Where this is, for messages. */
  readonly location: string;
  /**
   * Whether what is asked for while something is under way is done after it, in order, and fails if it needs what failed.
   * The engine may then ask for a write before it has heard of the one before.
   */
  readonly keepsOrder?: boolean;
  /** Is called once if the files become unusable under way. */
  onlost?: (error: Error) => void;
  /** Takes the exclusive lock. While somebody else has it: an Error whose `code` is `LOCKED`. */
  lock(): void | Promise<void>;
  /** Gives the lock and everything that is open back, after what was asked for before. Promises when others can have it. */
  unlock(): void | Promise<void>;
  list(): Entries | Promise<Entries>;
  /** The file must not exist: an Error with the code `EXISTS`. */
  create(name: string): void | Promise<void>;
  /** Fewer bytes only at the end of the file. */
  read(name: string, offset: number, length: number): Bytes | Promise<Bytes>;
  /** The buffer of `data` holds nothing else, and may be transferred. */
  write(name: string, offset: number, data: Bytes, flush: boolean): void | Promise<void>;
  truncate(name: string, length: number): void | Promise<void>;
  sync(name: string): void | Promise<void>;
  syncDirectory(): void | Promise<void>;
  remove(name: string): void | Promise<void>;
}

export type Bytes = Uint8Array<ArrayBuffer>;

/** The files by name, each with its length in bytes. */
export type Entries = [name: string, length: number][];

export interface LockOptions {
  /** Waits while another tab has the lock, instead of failing. */
  wait?: boolean;
  /** Ends the waiting. */
  signal?: AbortSignal;
}

export interface HostOptions extends LockOptions {
  /** Reads what is there: takes no lock, opens no file for long, and writes nothing. */
  readOnly?: boolean;
}

export interface OpfsOptions extends HostOptions {
  /** Starts the worker that has the files open, where it is not to be started from beside the script. */
  worker?: () => Worker;
}
