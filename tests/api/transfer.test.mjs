import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inFiles, inMemory, open, rejects, selkie, temporary, throws } from "./support.mjs";

const { databases, readFiles, restore, writeFiles } = selkie;

/** A database with history, two keyspaces, and values that do not compress. */
async function filled(t, options = {}) {
  const db = await inFiles(t, { history: true, ...options });
  const noise = () => Array.from({ length: 40 }, () => Math.random());
  for (let n = 0; n < 500; n++) db.set(`k${String(n).padStart(4, "0")}`, { n, noise: noise() });
  await db.keyspace("users", { keyEncoding: "number" }).set(1, "ada");
  await db.set("k0000", "changed");
  await db.delete("k0001");
  return db;
}

async function bytesOf(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

function same(left, right) {
  assert.deepEqual(right.range().all(), left.range().all());
  assert.deepEqual(right.keyspaces(), left.keyspaces());
  assert.deepEqual(right.history("k0000"), left.history("k0000"));
  assert.deepEqual(right.keyspace("users", { keyEncoding: "number" }).get(1), "ada");
  assert.equal(right.version, left.version);
}

test("what is exported is restored, with its history, from a Blob, bytes, or a stream in odd pieces", async (t) => {
  const db = await filled(t);
  const blob = await db.export();
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const odd = new ReadableStream({
    start(controller) {
      for (let at = 0, length = 1; at < bytes.length; at += length, length = (length * 7) % 5000 || 1) {
        controller.enqueue(bytes.slice(at, at + length));
      }
      controller.close();
    },
  });
  for (const source of [blob, bytes, odd, db.exportStream()]) {
    const copy = await restore("copy", source, { storage: "memory" });
    same(db, copy);
    await copy.set("more", 1);
    await copy.close();
  }
  const directory = temporary();
  await (await restore("copy", blob, { directory })).close();
  await rejects(restore("copy", blob, { directory }), "EXISTS");
  const again = await open("copy", { directory });
  same(db, again);
  await again.close();
});

test("an export holds the moment it began at, while commits go on", async (t) => {
  const db = await filled(t);
  const version = db.version;
  const exporting = db.export();
  for (let n = 0; n < 200; n++) await db.set(`later${n}`, n);
  const copy = await restore("copy", await exporting, { storage: "memory" });
  assert.ok(copy.version >= version && copy.version < db.version);
  assert.equal(copy.get("later199"), undefined);
  await copy.close();
});

test("progress goes up to the whole, both ways", async (t) => {
  const db = await filled(t);
  const seen = [];
  const blob = await db.export({ onProgress: (progress) => seen.push(progress) });
  const amounts = seen.map(({ bytes }) => bytes);
  assert.deepEqual(
    amounts.toSorted((a, b) => a - b),
    amounts,
  );
  assert.equal(amounts.at(-1), blob.size);
  const read = [];
  const copy = await restore("copy", blob, { storage: "memory", onProgress: (progress) => read.push(progress) });
  assert.deepEqual(read.at(-1), { bytes: blob.size, total: blob.size });
  await copy.close();
});

test("a signal ends an export and a restore, and nothing is there", async (t) => {
  const db = await filled(t);
  await rejects(db.export({ signal: AbortSignal.abort() }), "ABORTED");
  const blob = await db.export();
  const directory = temporary();
  await rejects(restore("copy", blob, { directory, signal: AbortSignal.abort() }), "ABORTED");
  assert.deepEqual(await databases({ directory }), []);
});

test("a stream that is cancelled, or fails, leaves the database usable and nothing restored", async (t) => {
  const db = await filled(t);
  const reader = db.exportStream().getReader();
  await reader.read();
  await reader.cancel();
  await db.set("after", 1);
  assert.equal(db.get("after"), 1);
  const whole = await bytesOf(db.exportStream());
  const failing = new ReadableStream({
    pull(controller) {
      controller.enqueue(whole.subarray(0, 1000));
      controller.error(new Error("the network is gone"));
    },
  });
  const directory = temporary();
  await assert.rejects(restore("copy", failing, { directory }), /the network is gone/);
  assert.deepEqual(await databases({ directory }), []);
});

test("a damaged or shortened export is CORRUPTED, and nothing is restored", async (t) => {
  const db = await filled(t);
  const bytes = await bytesOf(db.exportStream());
  const directory = temporary();
  const damaged = [];
  for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 40)) {
    const copy = Buffer.from(bytes);
    copy[at] ^= 0x10;
    damaged.push(copy);
  }
  for (const length of [0, 1, 50, bytes.length >> 1, bytes.length - 1]) damaged.push(bytes.subarray(0, length));
  damaged.push(Buffer.concat([bytes, Buffer.from("x")]));
  for (const [index, copy] of damaged.entries()) {
    await rejects(restore(`copy${index}`, new Uint8Array(copy), { directory }), "CORRUPTED");
  }
  assert.deepEqual(await databases({ directory }), []);
});

test("restoring over a database is refused, and the database stays", async (t) => {
  const db = await filled(t);
  const blob = await db.export();
  const directory = temporary();
  const other = await open("other", { directory });
  await other.set("mine", 1);
  await rejects(restore("other", blob, { directory }), "LOCKED");
  await other.close();
  await assert.rejects(restore("other", blob, { directory }), ({ name }) => name === "SelkieError");
  const again = await open("other", { directory });
  assert.equal(again.get("mine"), 1);
  assert.equal(again.count(), 1);
  await again.close();
});

test("files go out and in again byte for byte", async (t) => {
  const directory = temporary();
  const db = await filled(t, { directory });
  await db.checkpoint();
  await db.set("after", 1);
  await rejects(readFiles("db", { directory }), "LOCKED");
  const entries = db.range().all();
  await db.close();
  const files = await readFiles("db", { directory });
  assert.ok(files.has("database"));
  for (const [name, blob] of files) {
    assert.deepEqual(Buffer.from(await blob.arrayBuffer()), readFileSync(path.join(directory, "db", name)), name);
  }
  await writeFiles("copy", files, { directory });
  await rejects(writeFiles("copy", files, { directory }), "EXISTS", /already/);
  const copy = await open("copy", { directory });
  assert.deepEqual(copy.range().all(), entries);
  await copy.close();
});

test("files that lead elsewhere, or that are no database, are refused before anything is written", async () => {
  const directory = temporary();
  mkdirSync(path.join(directory, "inner"));
  const inside = path.join(directory, "inner");
  const database = ["database", new Uint8Array(24)];
  const wrong = [
    [database, ["../escaped", new Uint8Array(1)]],
    [database, ["/tmp/escaped", new Uint8Array(1)]],
    [database, ["0000000000000001.log/../../x", new Uint8Array(1)]],
    [database, ["lock", new Uint8Array(1)]],
    [database, ["notes.txt", new Uint8Array(1)]],
    [database, ["0000000000000001.log", "text"]],
    [["database", 1]],
    [["0000000000000001.log", new Uint8Array(1)]],
    [],
  ];
  for (const files of wrong) await rejects(writeFiles("db", files, { directory: inside }), "INVALID_ARGUMENT");
  for (const files of [undefined, null, 1, {}])
    await rejects(writeFiles("db", files, { directory: inside }), "INVALID_ARGUMENT");
  assert.deepEqual(readdirSync(directory), ["inner"]);
  assert.deepEqual(readdirSync(inside), []);
});

test("files of what is not there are NOT_FOUND, and nothing is created", async () => {
  const directory = temporary();
  await rejects(readFiles("none", { directory }), "NOT_FOUND");
  assert.deepEqual(readdirSync(directory), []);
});

test("damaged files that are written in do not open as something else", async (t) => {
  const directory = temporary();
  const db = await filled(t, { directory });
  await db.close();
  const files = await readFiles("db", { directory });
  const log = [...files.keys()].find((name) => name.endsWith(".log"));
  const bytes = new Uint8Array(await files.get(log).arrayBuffer());
  bytes[5000] ^= 1;
  await writeFiles("copy", new Map(files).set(log, bytes), { directory });
  await rejects(open("copy", { directory }), "CORRUPTED", undefined, { file: log });
});

test("wrong arguments", async (t) => {
  const db = await inMemory(t);
  for (const options of [null, 1, { onProgress: 1 }, { progress: () => {} }]) {
    throws(() => db.export(options), "INVALID_ARGUMENT");
    throws(() => db.exportStream(options), "INVALID_ARGUMENT");
  }
  for (const source of [undefined, null, "text", 1, [1], new ArrayBuffer(8)]) {
    await rejects(restore("x", source, { storage: "memory" }), "INVALID_ARGUMENT");
  }
  await rejects(restore("x", new Uint8Array(1), { storage: "memory", tabs: "read-only" }), "INVALID_ARGUMENT");
  await rejects(restore("x", new Uint8Array(1), { storage: "memory", onProgress: 1 }), "INVALID_ARGUMENT");
});

test("what ends an export or an import is told as it was, and the stream is let go", async (t) => {
  const directory = temporary();
  const db = await inMemory(t);
  for (let n = 0; n < 100; n++) db.set(`k${n}`, n);
  const mine = new RangeError("mine");
  const fail = () => {
    throw mine;
  };
  await rejects(db.export({ onProgress: fail }), "IO", /^mine$/, { cause: mine });
  const blob = await db.export();
  await rejects(restore("x", blob, { directory, onProgress: fail }), "IO", /^mine$/, { cause: mine });
  const controller = new AbortController();
  const abort = { signal: controller.signal, onProgress: () => controller.abort() };
  let cancelled = false;
  const endless = new ReadableStream({
    pull: (stream) => stream.enqueue(new Uint8Array(10)),
    cancel: () => (cancelled = true),
  });
  await rejects(restore("x", endless, { storage: "memory", ...abort }), "ABORTED");
  assert.ok(cancelled);
  await rejects(restore("x", blob, { directory, signal: AbortSignal.abort() }), "ABORTED");
  const text = new ReadableStream({ start: (stream) => stream.enqueue("text") });
  await rejects(restore("x", text, { directory }), "INVALID_ARGUMENT");
  const locked = blob.stream();
  locked.getReader();
  await rejects(restore("x", locked, { directory }), "INVALID_ARGUMENT");
  assert.deepEqual(await selkie.databases({ directory }), []);
});

test("files that are no pairs, or two of a name, are refused", async () => {
  const directory = temporary();
  const file = ["database", new Blob(["x"])];
  for (const files of [[5], [null], [file, file]]) {
    await rejects(selkie.writeFiles("x", files, { directory }), "INVALID_ARGUMENT");
  }
});
