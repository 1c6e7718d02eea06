// Random data that can be had again: every test prints nothing but fails with its seed in the message.

/** A generator of numbers below `bound`, the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound) => Math.floor(next() * bound);
  const pick = (choices) => choices[below(choices.length)];
  return { next, below, pick };
}

const PIECES = [
  "",
  "\0",
  "\u0001",
  "a",
  "b",
  "ab",
  "\x7f",
  "\x80",
  "é",
  "ÿ",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
  "\ufeff",
];

export function randomText({ below, pick }) {
  return Array.from({ length: below(5) }, () => pick(PIECES)).join("");
}

export function randomBytes({ below, pick }) {
  return Uint8Array.from({ length: below(6) }, () => pick([0, 1, 0x10, 0x7f, 0xfe, 0xff, below(256)]));
}

const NUMBERS = [
  0,
  1,
  -1,
  0.5,
  -0.5,
  255,
  256,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.EPSILON,
  Infinity,
  -Infinity,
  2.2250738585072014e-308,
];
const view = new DataView(new ArrayBuffer(8));

/** A number of any kind but NaN and -0, often one of the awkward ones. */
export function randomNumber({ below, pick }) {
  if (below(2) === 0) return pick(NUMBERS);
  view.setUint32(0, below(2 ** 32));
  view.setUint32(4, below(2 ** 32));
  const number = view.getFloat64(0);
  return Number.isNaN(number) || Object.is(number, -0) ? 0 : number;
}

export function randomTuple(source, depth = 0) {
  return Array.from({ length: source.below(4) }, () => randomPart(source, depth));
}

function randomPart(source, depth) {
  switch (source.below(depth < 3 ? 7 : 6)) {
    case 0:
      return null;
    case 1:
      return false;
    case 2:
      return true;
    case 3:
      return randomNumber(source);
    case 4:
      return randomText(source);
    case 5:
      return randomBytes(source);
    default:
      return randomTuple(source, depth + 1);
  }
}

/** A value that JSON stores without loss. */
export function randomJson(source, depth = 0) {
  switch (source.below(depth < 4 ? 7 : 5)) {
    case 0:
      return null;
    case 1:
      return source.below(2) === 0;
    case 2: {
      const number = randomNumber(source);
      return Number.isFinite(number) ? number : 0;
    }
    case 3:
      return randomText(source);
    case 4:
      return source.pick(["\ud800", "plain", "\udfff\ud800", '"\\\n']);
    case 5:
      return Array.from({ length: source.below(4) }, () => randomJson(source, depth + 1));
    default: {
      const object = source.below(4) === 0 ? Object.create(null) : {};
      for (let count = source.below(4); count > 0; count--) {
        const key = source.pick(["a", "0", "", "__proto__", "constructor", "toString", "\ud800", randomText(source)]);
        Object.defineProperty(object, key, {
          value: randomJson(source, depth + 1),
          enumerable: true,
          writable: true,
          configurable: true,
        });
      }
      return object;
    }
  }
}
