import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { importSource } from "./bundle.mjs";
import { random, randomJson } from "./random.mjs";

const { valueEncoding } = await importSource("encoding.ts");
const json = valueEncoding("json");

const there = (value) => json.decodeText(json.encode(value));
const refuses = (value, message) =>
  assert.throws(
    () => json.encode(value),
    (error) => {
      assert.equal(error.code, "ENCODING");
      assert.match(error.message, message);
      return true;
    },
  );

test("what is stored is what is read", () => {
  for (let seed = 0; seed < 20_000; seed++) {
    const value = randomJson(random(seed));
    assert.deepEqual(there(value), JSON.parse(JSON.stringify(value)), `seed ${seed}`);
    assert.deepEqual(json.decode(new TextEncoder().encode(json.encode(value))), there(value), `seed ${seed}`);
  }
});

test("the key __proto__ survives and changes no prototype", () => {
  const value = JSON.parse('{"__proto__": {"admin": true}, "a": 1}');
  const read = there(value);
  assert.deepEqual(Object.keys(read), ["__proto__", "a"]);
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
  assert.equal(read.admin, undefined);
});

test("what JSON would lose or change is refused, with the path to it", () => {
  const sparse = [1, 2, 3];
  delete sparse[1];
  const extra = Object.assign([1], { name: "x" });
  const symbolKey = { [Symbol("s")]: 1 };
  const cases = [
    [undefined, /undefined/],
    [() => 1, /a function/],
    [class A {}, /a function/],
    [Symbol("s"), /a symbol/],
    [10n, /the bigint 10/],
    [NaN, /the number NaN/],
    [Infinity, /Infinity/],
    [-Infinity, /-Infinity/],
    [-0, /the number -0/],
    [new Date(), /type Date/],
    [new Map(), /type Map/],
    [new Set(), /type Set/],
    [/x/, /type RegExp/],
    [new Error("x"), /type Error/],
    [new Uint8Array(2), /type Uint8Array/],
    [new ArrayBuffer(2), /type ArrayBuffer/],
    [Buffer.from("x"), /type Buffer/],
    [new (class User {})(), /type User/],
    [new (class extends Array {})(), /an object of type/],
    [Object.create({}), /an object of type/],
    [new Number(1), /type Number/],
    [new String("s"), /type String/],
    [Object(1n), /type BigInt/],
    [Promise.resolve(), /type Promise/],
    [new WeakMap(), /type WeakMap/],
    [Object.create(Object.create(null)), /an object of type/],
    [
      (function () {
        return arguments;
      })(1),
      /a symbol for a key/,
    ],
    [Math, /a symbol for a key/],
    [sparse, /a hole in an array, at .*\[1\]$/],
    [new Array(1), /a hole/],
    [extra, /a property of an array, at .*\.name$/],
    [Object.assign([1, 2], { 5: 6 }), /a hole/],
    [symbolKey, /a symbol for a key/],
    [Object.assign([1], symbolKey), /a symbol for a key/],
    [{ toJSON: () => 1 }, /toJSON/],
    [Object.defineProperty({}, "toJSON", { value: () => 1 }), /an object with toJSON/],
    [{ a: undefined }, /undefined, at .*\.a$/],
  ];
  for (const [value, message] of cases) {
    refuses(value, message);
    refuses({ list: [0, { "a key": value }] }, message);
    refuses({ list: [0, { "a key": value }] }, /at value\.list\[1\]\["a key"\]/);
  }
});

test("a hole beside as many properties is found", () => {
  const array = [1, , 3];
  array.name = "x";
  refuses(array, /a hole in an array, at value\[1\]/);
});

test("a great sparse array is refused at once", () => {
  const start = performance.now();
  refuses(new Array(2 ** 31), /a hole/);
  assert.ok(performance.now() - start < 5000);
});

test("cycles are found with the path; what is only shared is stored twice", () => {
  const parent = { name: "p", children: [] };
  parent.children.push({ parent });
  refuses(parent, /an object that contains itself, at value\.children\[0\]\.parent/);
  const list = [];
  list.push(list);
  refuses(list, /contains itself, at value\[0\]/);
  const shared = { a: 1 };
  assert.deepEqual(there({ x: shared, y: [shared, shared] }), { x: { a: 1 }, y: [{ a: 1 }, { a: 1 }] });
});

test("what is too deep for JSON is an error of the encoding", () => {
  let deep = [];
  for (let depth = 0; depth < 200_000; depth++) deep = [deep];
  refuses(deep, /JSON cannot store the value: RangeError/);
});

test("a property or a proxy that throws is an error of the encoding, with its cause", () => {
  const cause = new Error("no");
  const throwing = {
    get a() {
      throw cause;
    },
  };
  assert.throws(() => json.encode(throwing), { code: "ENCODING", cause });
  const proxy = new Proxy(
    {},
    {
      ownKeys() {
        throw cause;
      },
      getPrototypeOf: () => Object.prototype,
    },
  );
  assert.throws(() => json.encode({ proxy }), { code: "ENCODING", cause });
});

test("plain objects of another realm, without a prototype, frozen, and with getters are stored", () => {
  assert.deepEqual(there(vm.runInNewContext("({ a: [1, { b: null }] })")), { a: [1, { b: null }] });
  refuses(vm.runInNewContext("new Date()"), /type Date/);
  refuses(vm.runInNewContext("new (class extends Array {})"), /an object of type/);
  assert.deepEqual(there(Object.assign(Object.create(null), { a: 1 })), { a: 1 });
  assert.deepEqual(
    there(
      Object.freeze({
        get a() {
          return 2;
        },
      }),
    ),
    { a: 2 },
  );
});

test("a toJSON put on Object.prototype changes nothing in silence", () => {
  Object.defineProperty(Object.prototype, "toJSON", { value: () => "changed", configurable: true });
  try {
    refuses({ a: 1 }, /toJSON/);
    refuses([1], /toJSON/);
  } finally {
    delete Object.prototype.toJSON;
  }
});

test("raw JSON is refused where the platform has it", { skip: typeof JSON.rawJSON !== "function" }, () => {
  refuses({ n: JSON.rawJSON("123456789012345678901") }, /an object of type/);
});

test("text that is not JSON is an error when read", () => {
  for (const text of ["", "{", "undefined", "NaN", "'a'"]) {
    assert.throws(() => json.decodeText(text), { code: "ENCODING", message: /not JSON/ });
  }
  assert.throws(() => json.decode(Uint8Array.of(0xff)), { code: "ENCODING", message: /not UTF-8/ });
});

test("the check costs less than a microsecond beside JSON.stringify", () => {
  const user = { id: 12345, name: "Ada Lovelace", email: "ada@example.org", active: true, score: 0.5 };
  const nanoseconds = (call) => {
    let best = Infinity;
    for (let round = 0; round < 20; round++) {
      const start = process.hrtime.bigint();
      for (let repeat = 0; repeat < 20_000; repeat++) call(user);
      best = Math.min(best, Number(process.hrtime.bigint() - start) / 20_000);
    }
    return best;
  };
  const difference = nanoseconds((value) => json.encode(value)) - nanoseconds((value) => JSON.stringify(value));
  assert.ok(difference < 1000, `${difference} ns`);
});
