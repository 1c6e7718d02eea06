// What the package's types let through and what they refuse: this is compiled, and never runs.

import { SelkieError, databases, destroy, open, readFiles, restore, writeFiles } from "selkie";
import type {
  Change,
  Commit,
  Database,
  ErrorCode,
  Keyspace,
  KeyVersion,
  Reader,
  StorageMode,
  Transaction,
  Tuple,
  View,
} from "selkie";
import * as inline from "selkie/inline";
import * as node from "selkie/node";

/** Compiles only where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface User {
  name: string;
  age?: number;
}

export async function opening(): Promise<void> {
  const plain = await open("notes");
  same<typeof plain, Database<string, any>>(true);
  const typed = await open<string, User>("users", {
    storage: "auto",
    durability: "buffered",
    tabs: "wait",
    history: { versions: 3 },
  });
  same<typeof typed, Database<string, User>>(true);
  const bytes = await open<Uint8Array, Uint8Array>("bytes", { keyEncoding: "binary", valueEncoding: "binary" });
  same<ReturnType<typeof bytes.get>, Uint8Array | undefined>(true);
  await open("x", {
    durability: { intervalMs: 10, commits: 5 },
    snapshots: "never",
    limits: { attempts: 3 },
    signal: AbortSignal.timeout(5),
  });
  await open("x", {
    wasm: new URL("https://example.org/selkie.wasm"),
    worker: () => new Worker("worker.js"),
    onLost: (error: Error) => {},
  });
  // @ts-expect-error there is no such option
  await open("x", { durabilty: "none" });
  // @ts-expect-error there is no such level
  await open("x", { durability: "fast" });
  // @ts-expect-error an interval has a length
  await open("x", { durability: { commits: 5 } });
  // @ts-expect-error json does not order
  await open("x", { keyEncoding: "json" });
  // @ts-expect-error there is no such storage
  await open("x", { storage: "disk" });
  // @ts-expect-error a name is text
  await open(1);
  same<Awaited<ReturnType<typeof databases>>, { name: string; mode: StorageMode }[]>(true);
  same<Awaited<ReturnType<typeof destroy>>, boolean>(true);
  same<typeof node.open, typeof open>(true);
  same<typeof inline.open, typeof open>(true);
}

export async function reading(db: Database<string, User>): Promise<void> {
  same<ReturnType<typeof db.get>, User | undefined>(true);
  const many: (User | undefined)[] = db.getMany(["a", "b"]);
  for (const [key, user] of db.range({ gte: "a", lt: "b", reverse: true, limit: 10, offset: 1 }))
    same<[typeof key, typeof user], [string, User]>(true);
  const keys: string[] = db.keys().all();
  const first: User | undefined = db.values().first();
  const count: number = db.count({ gt: "a" });
  const history: KeyVersion<User>[] = db.history("a");
  const reader: Reader<string, User> = db;
  void [many, keys, first, count, history, reader];
  // @ts-expect-error what is not there is undefined
  const name: string = db.get("a").name;
  // @ts-expect-error a key is text
  db.get(1);
  // @ts-expect-error bounds are keys
  db.range({ gte: 1 });
  // @ts-expect-error a prefix has no bounds
  db.prefix("a", { gte: "a" });
  // @ts-expect-error get is no promise
  db.get("a").then();
  return name as never;
}

export async function writing(db: Database<string, User>): Promise<void> {
  const commit: Commit = await db.set("a", { name: "Ada" }, { durability: "none" });
  const version: number = commit.version;
  await db.delete("a");
  await db.batch(
    [
      { type: "set", key: "a", value: { name: "Ada" } },
      { type: "delete", key: "b" },
    ],
    { durability: "queued" },
  );
  const result: number = await db.update((tx) => (tx.set("a", { name: "B" }), 5));
  const later: string = await db.update(async (tx) => tx.get("a")?.name ?? "", {
    isolation: "snapshot",
    signal: AbortSignal.timeout(1),
  });
  void [version, result, later];
  // @ts-expect-error a user has a name
  await db.set("a", { age: 1 });
  // @ts-expect-error a set has a value
  await db.batch([{ type: "set", key: "a" }]);
  // @ts-expect-error put is not its name
  await db.batch([{ type: "put", key: "a", value: { name: "A" } }]);
  // @ts-expect-error an update writes
  await db.update(() => 1, { mode: "read" });
  // @ts-expect-error a commit's version is not to be changed
  commit.version = 5;
}

export async function transactions(db: Database<string, User>, ages: Keyspace<number, string>): Promise<void> {
  const tx: Transaction<string, User> = db.begin({
    mode: "readwrite",
    isolation: "serializable",
    durability: "immediate",
  });
  const savepoint = tx.savepoint();
  tx.rollbackTo(savepoint);
  tx.release(savepoint);
  const removed: number = tx.deleteRange({ gte: "a" });
  const inner = tx.keyspace(ages);
  inner.set(5, "five");
  same<ReturnType<typeof inner.get>, string | undefined>(true);
  await tx.commit();
  tx.abort();
  void removed;
  // @ts-expect-error a range to delete has no limit
  tx.deleteRange({ limit: 5 });
  // @ts-expect-error this keyspace has numbers as keys
  inner.set("5", "five");
  // @ts-expect-error a savepoint comes from the transaction
  tx.rollbackTo(5);
}

export function keyspaces(db: Database<string, User>): void {
  same<ReturnType<typeof db.keyspace<User>>, Keyspace<string, User>>(true);
  const events = db.keyspace<{ at: number }, Tuple>("events", { keyEncoding: "tuple", valueEncoding: "json" });
  events.set(["user", 1, null, true, new Uint8Array(1), ["nested"]], { at: 5 });
  const own = db.keyspace<Date, Date>("own", {
    keyEncoding: { encode: (date) => new Uint8Array(date.getTime()), decode: (bytes) => new Date(bytes.length) },
    valueEncoding: {
      name: "date",
      encode: (date) => new Uint8Array(date.getTime()),
      decode: (bytes) => new Date(bytes.length),
    },
  });
  const when: Date | undefined = own.get(new Date());
  void when;
  // @ts-expect-error an undefined is no part of a tuple
  events.get(["user", undefined]);
  // @ts-expect-error an encoding has two directions
  db.keyspace("x", { valueEncoding: { encode: () => new Uint8Array() } });
}

export async function watching(db: Database<string, User>): Promise<void> {
  const stop: () => void = db.watch(
    { prefix: "a" },
    (changes, { version, time }) => {
      for (const change of changes) if (change.type === "set") same<typeof change, Change<string, User>>(true);
      same<[typeof version, typeof time], [number, Date]>(true);
    },
    (error) => void error,
  );
  stop();
  for await (const { changes, version } of db.changes({ since: 5, live: false, gte: "a" }))
    void [changes[0]?.value?.name, version];
  // @ts-expect-error a watch has a range
  db.watch(() => {});
}

export async function past(db: Database<string, User>): Promise<void> {
  using view: View<string, User> = db.asOf(new Date());
  db.asOf(Date.now()).close();
  db.at(5).close();
  const user: User | undefined = view.get("a");
  void user;
  await using other = await open("x");
  // @ts-expect-error a view does not write
  view.set("a", { name: "A" });
  // @ts-expect-error a time is no text
  db.asOf("2026-01-01");
  void other;
}

export async function copying(db: Database<string, User>): Promise<void> {
  const blob: Blob = await db.export({ onProgress: ({ bytes, total }) => void [bytes, total] });
  const stream: ReadableStream<Uint8Array> = db.exportStream();
  const copy: Database<string, User> = await restore<string, User>("copy", blob, {
    storage: "memory",
    onProgress: () => {},
  });
  await restore("copy", stream);
  const files: Map<string, Blob> = await readFiles("db", { storage: "opfs" });
  await writeFiles("db", files);
  await writeFiles("db", [["database", new Uint8Array(1)]]);
  void copy;
  // @ts-expect-error a file has a name
  await writeFiles("db", [new Uint8Array(1)]);
}

export function failing(error: unknown): string {
  if (!(error instanceof SelkieError)) return "";
  const code: ErrorCode = error.code;
  const place: [string | undefined, number | undefined, number | undefined] = [error.file, error.offset, error.version];
  void place;
  // @ts-expect-error there is no such code
  if (code === "BUSY") return "";
  switch (code) {
    case "CONFLICT":
    case "LOCKED":
    case "QUOTA":
      return code;
    default:
      return error.message;
  }
}
