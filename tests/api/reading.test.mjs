import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "./random.mjs";
import { inMemory, throws } from "./support.mjs";

const ENTRIES = Array.from({ length: 1000 }, (_, index) => [`key-${String(index).padStart(4, "0")}`, { index }]);

async function filled(t, options) {
  const db = await inMemory(t, options);
  await db.batch(ENTRIES.map(([key, value]) => ({ type: "set", key, value })));
  return db;
}

/** What a range must give, out of a sorted array. */
function expected(entries, { gt, gte, lt, lte, reverse, offset = 0, limit = Infinity }) {
  const within = entries.filter(
    ([key]) =>
      (gt === undefined || key > gt) &&
      (gte === undefined || key >= gte) &&
      (lt === undefined || key < lt) &&
      (lte === undefined || key <= lte),
  );
  if (reverse) within.reverse();
  return within.slice(offset, Math.min(offset + limit, within.length));
}

test("one key: get, has, and what is not there", async (t) => {
  const db = await inMemory(t);
  assert.equal(db.get("a"), undefined);
  assert.equal(db.has("a"), false);
  await db.set("a", null);
  assert.equal(db.get("a"), null);
  assert.equal(db.has("a"), true);
  await db.set("", "the empty key");
  assert.equal(db.get(""), "the empty key");
  await db.delete("a");
  assert.equal(db.get("a"), undefined);
  assert.equal(db.has("a"), false);
});

test("values come back as new ones each time", async (t) => {
  const db = await inMemory(t);
  const value = { list: [1] };
  await db.set("a", value);
  value.list.push(2);
  db.get("a").list.push(3);
  assert.deepEqual(db.get("a"), { list: [1] });
});

test("bytes that were read are nobody else's, and those that were written may change", async (t) => {
  const db = await inMemory(t, { keyEncoding: "binary", valueEncoding: "binary" });
  const [key, value] = [Uint8Array.of(1, 2), Uint8Array.of(3, 4)];
  const done = db.set(key, value);
  key.fill(9);
  value.fill(9);
  await done;
  const read = db.get(Uint8Array.of(1, 2));
  assert.deepEqual(read, Uint8Array.of(3, 4));
  assert.equal(read.buffer.byteLength, 2);
  read.fill(7);
  for (const [, other] of db.entries()) other.fill(7);
  assert.deepEqual(db.get(Uint8Array.of(1, 2)), Uint8Array.of(3, 4));
});

test("getMany answers in the order of the keys, with what is missing and what is asked twice", async (t) => {
  const db = await filled(t);
  assert.deepEqual(db.getMany([]), []);
  assert.deepEqual(db.getMany(["key-0003", "none", "key-0001", "key-0003"]), [
    { index: 3 },
    undefined,
    { index: 1 },
    { index: 3 },
  ]);
  assert.deepEqual(
    db.getMany(ENTRIES.map(([key]) => key)),
    ENTRIES.map(([, value]) => value),
  );
});

test("ranges of every kind, against a sorted array", async (t) => {
  const db = await filled(t);
  for (let seed = 0; seed < 500; seed++) {
    const { below, pick } = random(seed);
    const bound = () =>
      pick([
        `key-${String(below(1000)).padStart(4, "0")}`,
        `key-${String(below(1000)).padStart(4, "0")}x`,
        "",
        "key",
        "l",
      ]);
    const options = {};
    if (below(3) > 0) options[pick(["gt", "gte"])] = bound();
    if (below(3) > 0) options[pick(["lt", "lte"])] = bound();
    if (below(2) > 0) options.reverse = below(2) > 0;
    if (below(2) > 0) options.limit = pick([0, 1, 2, 127, 128, 129, 500, 1000, 5000, Infinity]);
    if (below(3) > 0) options.offset = pick([0, 1, 127, 128, 999, 1000, 1001]);
    const entries = expected(ENTRIES, options);
    const message = `seed ${seed}: ${JSON.stringify(options)}`;
    assert.deepEqual(db.range(options).all(), entries, message);
    assert.deepEqual([...db.entries(options)], entries, message);
    assert.deepEqual(
      [...db.keys(options)],
      entries.map(([key]) => key),
      message,
    );
    assert.deepEqual(
      db.values(options).all(),
      entries.map(([, value]) => value),
      message,
    );
    assert.deepEqual(db.range(options).first(), entries[0], message);
    assert.equal(db.count(options), entries.length, message);
  }
});

test("prefixes, also where the last byte is the greatest", async (t) => {
  const db = await inMemory(t, { keyEncoding: "binary", valueEncoding: "json" });
  const keys = [
    [],
    [0],
    [1],
    [1, 0],
    [1, 255],
    [1, 255, 0],
    [1, 255, 255],
    [1, 255, 255, 7],
    [2],
    [255],
    [255, 255],
    [255, 255, 1],
  ];
  for (const key of keys) await db.set(Uint8Array.from(key), key);
  for (const prefix of keys) {
    const found = keys.filter((key) => prefix.every((byte, index) => key[index] === byte));
    const asked = Uint8Array.from(prefix);
    assert.deepEqual(
      db
        .prefix(asked)
        .all()
        .map(([, value]) => value),
      found,
    );
    assert.deepEqual(
      [...db.prefix(asked, { reverse: true })].map(([, value]) => value),
      found.toReversed(),
    );
    assert.deepEqual(
      db
        .prefix(asked, { offset: 1, limit: 2 })
        .all()
        .map(([, value]) => value),
      found.slice(1, 3),
    );
  }
});

test("tuples order by value and are found by their first parts", async (t) => {
  const db = await inMemory(t, { keyEncoding: "tuple" });
  const keys = [[null], [-1], [10], [9.5], ["a"], ["a", 1], ["a", 1, "x"], ["a", 2], ["a\0b"], ["b"], [["a"]]];
  for (const key of keys) await db.set(key, 1);
  assert.deepEqual(db.keys().all(), [
    [null],
    [-1],
    [9.5],
    [10],
    ["a"],
    ["a", 1],
    ["a", 1, "x"],
    ["a", 2],
    ["a\0b"],
    ["b"],
    [["a"]],
  ]);
  assert.deepEqual(
    db
      .prefix(["a"])
      .all()
      .map(([key]) => key),
    [["a"], ["a", 1], ["a", 1, "x"], ["a", 2]],
  );
  assert.deepEqual(
    db
      .prefix(["a", 1])
      .all()
      .map(([key]) => key),
    [
      ["a", 1],
      ["a", 1, "x"],
    ],
  );
});

test("numbers as keys order as numbers", async (t) => {
  const db = await inMemory(t, { keyEncoding: "number", valueEncoding: "utf8" });
  for (const key of [5, -0, 1e300, -2.5, Infinity, 1e-300, -Infinity]) await db.set(key, String(key));
  assert.deepEqual(db.keys().all(), [-Infinity, -2.5, 0, 1e-300, 5, 1e300, Infinity]);
  assert.deepEqual(db.keys({ gt: 0, lte: 5 }).all(), [1e-300, 5]);
});

test("text of every plane, in keys, values, ranges and getMany", async (t) => {
  const db = await inMemory(t, { valueEncoding: "utf8" });
  const texts = [
    "a",
    "é",
    "\u07ff",
    "\u20ac",
    "\uffff",
    "\u{10000}",
    "\u{1f9ad}",
    "\ufeffbom",
    "a\0b",
    "x".repeat(70) + "é",
    "é".repeat(200),
  ];
  for (const text of texts) await db.set(text, text);
  for (const text of texts) assert.equal(db.get(text), text);
  assert.deepEqual(db.getMany(texts), texts);
  const codePoints = (left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right));
  assert.deepEqual(db.values().all(), texts.toSorted(codePoints));
});

test("results are lazy, can be taken again, and keep to the moment in which they begin", async (t) => {
  const db = await filled(t);
  const results = db.keys();
  const iterator = results[Symbol.iterator]();
  assert.equal(iterator.next().value, "key-0000");
  for (const [key] of ENTRIES) db.delete(key);
  await db.set("later", 1);
  assert.equal([...iterator].length, 999);
  assert.deepEqual(iterator.next(), { done: true, value: undefined });
  assert.deepEqual([...results], ["later"]);
});

test("two passes over one range do not disturb each other", async (t) => {
  const db = await filled(t);
  const [one, two] = [db.keys()[Symbol.iterator](), db.keys({ reverse: true })[Symbol.iterator]()];
  for (let index = 0; index < 1000; index++) {
    assert.equal(one.next().value, ENTRIES[index][0]);
    assert.equal(two.next().value, ENTRIES[999 - index][0]);
    if (index % 100 === 0) await db.set(`key-0500-${index}`, 1);
  }
});

test("a range that is left early holds no moment back", async (t) => {
  const db = await filled(t);
  for (const _ of db.range()) break;
  const [first] = db.keys();
  assert.equal(first, "key-0000");
  const iterator = db.keys()[Symbol.iterator]();
  iterator.next();
  iterator.return();
  assert.equal(iterator.next().done, true);
  assert.equal(db.stats().readers, 0);
});

test("the memory may grow in the middle of a range", async (t) => {
  const db = await filled(t);
  const before = db.stats().wasmMemoryBytes;
  let seen = 0;
  for (const [key, value] of db.range()) {
    assert.deepEqual([key, value], ENTRIES[seen++]);
    if (seen % 100 === 0) db.set(`growth-${seen}`, "x".repeat(2 << 20), { durability: "none" });
  }
  assert.equal(seen, 1000);
  assert.ok(db.stats().wasmMemoryBytes > before + (10 << 20));
});

test("an encoding of the user's own may use the database while it reads", async (t) => {
  const db = await inMemory(t);
  await db.batch(
    Array.from({ length: 3000 }, (_, index) => ({ type: "set", key: `name-${index}`, value: `n${index}` })),
  );
  const nosy = db.keyspace("nosy", {
    valueEncoding: {
      encode: (name) => new TextEncoder().encode(name),
      decode(bytes) {
        const name = new TextDecoder().decode(bytes);
        db.set("visited", "y".repeat(Math.random() * 1000), { durability: "none" });
        db.keys({ limit: 200 }).all();
        return db.get(name);
      },
    },
  });
  const keys = Array.from({ length: 3000 }, (_, index) => `k${String(index).padStart(4, "0")}`);
  await nosy.batch(keys.map((key, index) => ({ type: "set", key, value: `name-${index}` })));
  const wanted = keys.map((key, index) => [key, `n${index}`]);
  assert.deepEqual(nosy.range().all(), wanted);
  assert.deepEqual([...nosy.range({ reverse: true })], wanted.toReversed());
  assert.deepEqual(
    nosy.getMany(keys),
    wanted.map(([, value]) => value),
  );
});

test("an encoding that fails to read says so, and leaves nothing behind", async (t) => {
  const db = await filled(t);
  const picky = db.keyspace("picky", {
    valueEncoding: { encode: (value) => Uint8Array.of(value), decode: ([byte]) => (byte === 200 ? oops() : byte) },
  });
  const oops = () => {
    throw new Error("oops");
  };
  await picky.batch(
    Array.from({ length: 250 }, (_, index) => ({ type: "set", key: String(index).padStart(3, "0"), value: index })),
  );
  throws(() => picky.get("200"), "ENCODING", /could not decode: Error: oops/);
  throws(() => picky.values().all(), "ENCODING", /oops/);
  const iterator = picky.values()[Symbol.iterator]();
  assert.throws(() => [...iterator]);
  assert.equal(iterator.next().done, true);
  assert.deepEqual(picky.keys({ gte: "200" }).first(), "200");
  assert.equal(db.stats().readers, 0);
});

test("values that were written with another encoding are an error", async (t) => {
  const db = await inMemory(t, { valueEncoding: "binary" });
  await db.set("a", Uint8Array.of(0xff, 0xfe));
  throws(() => db.keyspace("default").get("a"), "ENCODING", /not UTF-8/);
  throws(() => db.keyspace("default", { valueEncoding: "utf8" }).values().all(), "ENCODING", /not UTF-8/);
  await db.set("a", new TextEncoder().encode("plain"));
  throws(() => db.keyspace("default").get("a"), "ENCODING", /not JSON/);
  throws(() => db.keyspace("default", { keyEncoding: "number" }).keys().all(), "ENCODING", /8 bytes/);
});

test("large keys and values", async (t) => {
  const db = await inMemory(t, { valueEncoding: "utf8" });
  const text = "é".repeat(5 << 20);
  await db.set("large", text);
  await db.set("small", "s");
  assert.equal(db.get("large"), text);
  assert.deepEqual(db.range().all(), [
    ["large", text],
    ["small", "s"],
  ]);
  const key = "k".repeat(60_000);
  await db.set(key, "v");
  assert.equal(db.get(key), "v");
  assert.deepEqual(db.keys({ gte: "k".repeat(59_999) }).first(), key);
});

test("wrong arguments throw at once", async (t) => {
  const db = await inMemory(t);
  for (const key of [undefined, null, 1, {}, "\ud800", new Uint8Array(1)]) {
    for (const call of [
      () => db.get(key),
      () => db.has(key),
      () => db.getMany(["a", key]),
      () => db.prefix(key),
      () => db.history(key),
    ]) {
      throws(call, "ENCODING");
    }
    if (key !== undefined) throws(() => db.range({ gte: key }), "ENCODING");
  }
  for (const method of ["range", "entries", "keys", "values", "count"]) {
    for (const options of [
      null,
      1,
      "a",
      { from: "a" },
      { limit: -1 },
      { limit: 1.5 },
      { limit: "1" },
      { limit: NaN },
      { offset: -1 },
      { offset: null },
      { reverse: 1 },
    ]) {
      throws(() => db[method](options), "INVALID_ARGUMENT");
    }
    throws(() => db[method]({ gt: "a", gte: "a" }), "INVALID_ARGUMENT", /gt or gte, not both/);
    throws(() => db[method]({ lt: "a", lte: "a" }), "INVALID_ARGUMENT", /lt or lte, not both/);
  }
  for (const options of [null, { gte: "a" }, { limit: -1 }, { reverse: "no" }])
    throws(() => db.prefix("a", options), "INVALID_ARGUMENT");
  for (const keys of [undefined, null, "abc", { length: 1 }, new Set(["a"])])
    throws(() => db.getMany(keys), "INVALID_ARGUMENT");
});

test("null is a key like any other and no open end, and nothing is passed over in silence", async (t) => {
  const db = await inMemory(t);
  for (const key of ["a", "b", "c"]) db.set(key, 1);
  for (const bound of ["gt", "gte", "lt", "lte"]) throws(() => db.range({ [bound]: null }), "ENCODING");
  throws(() => db.begin().deleteRange({ gt: null }), "ENCODING");
  throws(() => db.getMany(["a", , "b"]), "ENCODING");
  throws(() => db.begin({ mode: "read", durability: "strict" }), "INVALID_ARGUMENT");
  const tuples = db.keyspace("tuples", { keyEncoding: { encode: (key) => Uint8Array.of(key ?? 5), decode: ([byte]) => byte } });
  for (const key of [1, 5, 9]) tuples.set(key, key);
  assert.deepEqual([tuples.keys({ gt: null }).all(), tuples.keys({ lt: null }).all()], [[9], [1]]);
});

test("an offset is not cut to 32 bits", async (t) => {
  const db = await inMemory(t);
  for (const key of ["a", "b", "c"]) db.set(key, 1);
  for (const reverse of [false, true]) {
    assert.deepEqual(db.range({ offset: 2 ** 32 + 1, reverse }).all(), []);
    assert.deepEqual(db.keys({ offset: 2, limit: 2 ** 32 + 1, reverse }).all(), [reverse ? "a" : "c"]);
  }
});
