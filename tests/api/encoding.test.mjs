import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { importSource } from "./bundle.mjs";
import { random, randomBytes, randomNumber, randomText, randomTuple } from "./random.mjs";

const { keyEncoding, valueEncoding } = await importSource("encoding.ts");
const CASES = 20_000;

const bytesOf = (codec, value) => {
  const encoded = codec.encode(value);
  return codec.text ? new TextEncoder().encode(encoded) : encoded;
};
const refuses = (call, message) =>
  assert.throws(call, (error) => error.code === "ENCODING" && message.test(error.message));

/** The order of tuples by their meaning, not by their bytes. */
function compare(left, right) {
  const kind = (part) =>
    [
      part === null,
      part === false,
      part === true,
      typeof part === "number",
      typeof part === "string",
      part instanceof Uint8Array,
      Array.isArray(part),
    ].indexOf(true);
  if (kind(left) !== kind(right)) return kind(left) - kind(right);
  if (typeof left === "number") return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === "string")
    return compareEach([...left].map(codePoint), [...right].map(codePoint), (a, b) => a - b);
  if (left instanceof Uint8Array) return compareEach([...left], [...right], (a, b) => a - b);
  return Array.isArray(left) ? compareEach(left, right, compare) : 0;
}
const codePoint = (character) => character.codePointAt(0);

function compareEach(left, right, order) {
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const result = order(left[index], right[index]);
    if (result !== 0) return result;
  }
  return left.length - right.length;
}

/** Round trips and the order of random pairs. */
function checkKeys(codec, make, order) {
  for (let seed = 0; seed < CASES; seed++) {
    const source = random(seed);
    const left = make(source);
    const right = make(source);
    const encoded = bytesOf(codec, left);
    const copy = Uint8Array.from([7, ...encoded, 7]).subarray(1, encoded.length + 1);
    assert.deepEqual(codec.decode(copy), left, `seed ${seed}`);
    assert.equal(
      Math.sign(Buffer.compare(encoded, bytesOf(codec, right))),
      Math.sign(order(left, right)),
      `seed ${seed}`,
    );
  }
}

test("keys round trip, and their bytes order as they do", async (t) => {
  await t.test("numbers", () => checkKeys(keyEncoding("number"), randomNumber, (a, b) => compare(a, b)));
  await t.test("tuples", () => checkKeys(keyEncoding("tuple"), randomTuple, compare));
  await t.test("text", () => checkKeys(keyEncoding("utf8"), randomText, compare));
  await t.test("bytes", () => checkKeys(keyEncoding("binary"), randomBytes, compare));
});

test("a tuple's bytes begin those of its extensions, and of nothing else", () => {
  const codec = keyEncoding("tuple");
  for (let seed = 0; seed < CASES; seed++) {
    const source = random(seed);
    const prefix = randomTuple(source);
    const bytes = codec.encode(prefix);
    const longer = codec.encode([...prefix, ...randomTuple(source)]);
    assert.deepEqual(longer.subarray(0, bytes.length), bytes, `seed ${seed}`);
    const other = randomTuple(source);
    const extends_ = other.length >= prefix.length && compare(other.slice(0, prefix.length), prefix) === 0;
    assert.equal(Buffer.compare(codec.encode(other).subarray(0, bytes.length), bytes) === 0, extends_, `seed ${seed}`);
  }
});

test("types order within tuples", () => {
  const parts = [
    null,
    false,
    true,
    -Infinity,
    -1,
    0,
    1,
    Infinity,
    "",
    "\0",
    "\0\0",
    "\0\u0001",
    "\0a",
    "\u0001",
    "\u0001\0",
    "\u0002",
    "a",
    "a\0",
    "aa",
    "\u{10ffff}",
    new Uint8Array(),
    Uint8Array.of(0),
    Uint8Array.of(0, 255),
    Uint8Array.of(1),
    Uint8Array.of(2),
    Uint8Array.of(255),
    [],
    [null],
    [null, null],
    [[]],
    [[], 1],
  ];
  const encoded = parts.map((part) => keyEncoding("tuple").encode([part]));
  for (let index = 1; index < encoded.length; index++)
    assert.ok(Buffer.compare(encoded[index - 1], encoded[index]) < 0, `part ${index}`);
});

test("negative zero is the key zero, as in a Map", () => {
  assert.ok(Object.is(keyEncoding("number").decode(keyEncoding("number").encode(-0)), 0));
  assert.ok(Object.is(keyEncoding("tuple").decode(keyEncoding("tuple").encode([-0]))[0], 0));
});

test("what is no key is refused, with the place", () => {
  const [utf8, number, tuple, binary] = ["utf8", "number", "tuple", "binary"].map(keyEncoding);
  for (const value of [undefined, null, 1, Symbol("s"), {}, new String("a")])
    refuses(() => utf8.encode(value), /not a string/);
  for (const text of ["\ud800", "a\udfff", "\udc00\ud800"]) refuses(() => utf8.encode(text), /lone surrogate/);
  for (const value of [NaN, "1", 1n, null, undefined, new Number(1)])
    refuses(() => number.encode(value), /not a number that has an order/);
  for (const value of ["a", [1], new ArrayBuffer(1), new Uint16Array(1), { length: 0 }, null])
    refuses(() => binary.encode(value), /not a Uint8Array/);
  for (const value of ["a", null, undefined, { length: 0 }, new Uint8Array(1)])
    refuses(() => tuple.encode(value), /not a tuple/);
  for (const part of [undefined, NaN, 1n, {}, new Date(), new Uint16Array(1), () => 1, Symbol("s")]) {
    refuses(() => tuple.encode(["a", ["b", part]]), /part \[1\]\[1\] is/);
  }
  refuses(() => tuple.encode(["a", , "b"]), /part \[1\] is undefined/);
  refuses(() => tuple.encode(["\ud800"]), /part \[0\] has a lone surrogate/);
  refuses(() => tuple.encode(["é\ud800"]), /part \[0\] has a lone surrogate/);
  const itself = ["a"];
  itself.push(itself);
  refuses(() => tuple.encode(itself), /nests more than 100 deep/);
});

test("tuples nest a hundred deep", () => {
  let deep = [];
  for (let depth = 0; depth < 100; depth++) deep = [deep];
  const codec = keyEncoding("tuple");
  assert.deepEqual(codec.decode(codec.encode(deep)), deep);
  refuses(() => codec.encode([deep]), /nests more than 100 deep/);
});

test("a tuple after one that was refused is not touched by it", () => {
  const codec = keyEncoding("tuple");
  const before = codec.encode(["x".repeat(1000), 1]);
  assert.throws(() => codec.encode(["y", 2n]));
  assert.deepEqual(codec.decode(codec.encode(["z"])), ["z"]);
  assert.deepEqual(codec.decode(before), ["x".repeat(1000), 1]);
});

test("bytes whose buffer was transferred are refused, empty ones are not", () => {
  const gone = new Uint8Array(4);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  refuses(() => keyEncoding("binary").encode(gone), /transferred/);
  refuses(() => keyEncoding("tuple").encode([gone]), /transferred/);
  assert.equal(keyEncoding("binary").encode(new Uint8Array()).length, 0);
});

test("bytes of another realm, and Buffers, are bytes", () => {
  const foreign = vm.runInNewContext("Uint8Array.of(1, 2)");
  assert.deepEqual([...keyEncoding("binary").encode(foreign)], [1, 2]);
  assert.deepEqual([...keyEncoding("tuple").decode(keyEncoding("tuple").encode([foreign]))[0]], [1, 2]);
  assert.deepEqual([...keyEncoding("binary").encode(Buffer.from([3]))], [3]);
});

test("a tuple's bytes are its own, not a part of the key", () => {
  const codec = keyEncoding("tuple");
  const key = codec.encode([Uint8Array.of(1, 2)]);
  const [part] = codec.decode(key);
  key.fill(9);
  assert.deepEqual(part, Uint8Array.of(1, 2));
});

test("foreign bytes are an error when read, not a wrong value", () => {
  const [utf8, number, tuple] = ["utf8", "number", "tuple"].map(keyEncoding);
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]])
    refuses(() => utf8.decode(Uint8Array.from(bytes)), /not UTF-8/);
  for (const length of [0, 7, 9]) refuses(() => number.decode(new Uint8Array(length)), /has 8 bytes/);
  for (const first of [0x00, 0xff])
    refuses(() => number.decode(new Uint8Array(8).fill(first)), /not those of a number/);
  refuses(() => number.decode(Uint8Array.of(0x7f, 255, 255, 255, 255, 255, 255, 255)), /not those of a number/);
  for (const bytes of [
    [0x00],
    [0x01],
    [0x30, 1, 2],
    [0x40, 97],
    [0x40, 1, 0],
    [0x40, 1, 3, 0],
    [0x50, 1],
    [0x50],
    [0x60],
    [0x60, 0x10],
    [0x60, 0x99, 0],
  ]) {
    refuses(() => tuple.decode(Uint8Array.from(bytes)), /not those of a tuple/);
  }
  refuses(() => tuple.decode(new Uint8Array(1_000_000).fill(0x60)), /not those of a tuple/);
});

test("random bytes never decode to a tuple that has other bytes", () => {
  const codec = keyEncoding("tuple");
  let decoded = 0;
  for (let seed = 0; seed < CASES; seed++) {
    const { below, pick } = random(seed);
    const bytes = Uint8Array.from({ length: below(12) }, () =>
      pick([0, 0, 1, 2, 0x10, 0x20, 0x21, 0x40, 0x50, 0x60, 0x61, 0xff]),
    );
    let parts;
    try {
      parts = codec.decode(bytes);
    } catch (error) {
      assert.equal(error.code, "ENCODING");
      continue;
    }
    decoded++;
    assert.deepEqual(codec.encode(parts), bytes, `seed ${seed}`);
  }
  assert.ok(decoded > CASES / 20, `only ${decoded} were tuples`);
});

test("the byte order mark is text", () => {
  assert.equal(keyEncoding("utf8").decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
});

test("the encodings of keys and values, and their defaults", () => {
  assert.equal(keyEncoding(undefined).name, "utf8");
  assert.equal(valueEncoding(undefined).name, "json");
  for (const name of ["utf8", "binary", "number", "tuple"]) assert.equal(keyEncoding(name).name, name);
  for (const name of ["json", "utf8", "binary"]) assert.equal(valueEncoding(name).name, name);
  for (const choice of ["json", "toString", "__proto__", "", null && 0, 1, {}, { encode() {} }]) {
    assert.throws(() => keyEncoding(choice ?? 0), { code: "INVALID_ARGUMENT", message: /keyEncoding is "utf8"/ });
  }
  for (const choice of ["number", "tuple", true, { encode: 1, decode: 2 }]) {
    assert.throws(() => valueEncoding(choice), { code: "INVALID_ARGUMENT", message: /valueEncoding is "json"/ });
  }
});

test("an encoding of the user's own is called on itself and checked", () => {
  class Shout {
    name = "shout";
    mark = "!";
    encode(text) {
      return new TextEncoder().encode(text + this.mark);
    }
    decode(bytes) {
      return new TextDecoder().decode(bytes).slice(0, -this.mark.length);
    }
  }
  const shout = valueEncoding(new Shout());
  assert.equal(shout.name, "shout");
  assert.equal(shout.decode(shout.encode("hey")), "hey");
  for (const wrong of ["text", [1], undefined, Promise.resolve(new Uint8Array()), new ArrayBuffer(2)]) {
    refuses(
      () => valueEncoding({ encode: () => wrong, decode: () => 1 }).encode(1),
      /"custom" did not return a Uint8Array/,
    );
  }
  const cause = new Error("boom");
  const fail = () => {
    throw cause;
  };
  const failing = valueEncoding({ name: "failing", encode: fail, decode: fail });
  assert.throws(() => failing.encode(1), {
    code: "ENCODING",
    cause,
    message: /"failing" could not encode: Error: boom/,
  });
  assert.throws(() => failing.decode(new Uint8Array()), { code: "ENCODING", cause, message: /could not decode/ });
});
