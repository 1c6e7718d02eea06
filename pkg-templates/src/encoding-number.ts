/**
 * Numbers as keys: eight bytes whose order is that of the numbers. NaN is refused because it has no place in an order;
 * -0 is stored as 0, as the keys of a Map are.
 */

import { describe } from "./encoding-binary.js";
import type { BytesCodec } from "./encoding.js";
import { SelkieError } from "./error.js";

const SIGN = 0x80000000;
const scratch = new DataView(new ArrayBuffer(8));

export const number: BytesCodec<number> = {
  name: "number",
  text: false,
  encode(value) {
    if (typeof value !== "number" || value !== value) {
      throw new SelkieError("ENCODING", `not a number that has an order: ${describe(value)}`);
    }
    const bytes = new Uint8Array(8);
    writeNumber(bytes, 0, value);
    return bytes;
  },
  decode(bytes) {
    if (bytes.length !== 8) {
      throw new SelkieError("ENCODING", `a number has 8 bytes, not ${bytes.length}: stored with another encoding?`);
    }
    return readNumber(bytes, 0);
  },
};

/** Writes eight bytes: the sign is flipped, and for negative numbers everything, so that more negative is less. */
export function writeNumber(target: Uint8Array, at: number, value: number): void {
  scratch.setFloat64(0, value === 0 ? 0 : value);
  let high = scratch.getUint32(0);
  let low = scratch.getUint32(4);
  if (high >= SIGN) {
    high = ~high;
    low = ~low;
  } else {
    high += SIGN;
  }
  for (let shift = 24, index = at; shift >= 0; shift -= 8, index++) {
    target[index] = high >>> shift;
    target[index + 4] = low >>> shift;
  }
}

/** Reads what `writeNumber` wrote. Bytes that it never writes are an error. */
export function readNumber(source: Uint8Array, at: number): number {
  const view = new DataView(source.buffer, source.byteOffset + at, 8);
  const high = view.getUint32(0);
  const low = view.getUint32(4);
  const negative = high < SIGN;
  scratch.setUint32(0, negative ? ~high : high - SIGN);
  scratch.setUint32(4, negative ? ~low : low);
  const value = scratch.getFloat64(0);
  if (value !== value || Object.is(value, -0)) {
    throw new SelkieError("ENCODING", "the bytes are not those of a number: stored with another encoding?");
  }
  return value;
}
