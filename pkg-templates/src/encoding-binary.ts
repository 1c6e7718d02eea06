/** Bytes as they are. */

import type { BytesCodec } from "./encoding.js";
import { SelkieError } from "./error.js";

export const binary: BytesCodec<Uint8Array> = {
  name: "binary",
  text: false,
  encode(value) {
    if (!isBytes(value)) throw new SelkieError("ENCODING", `not a Uint8Array: ${describe(value)}`);
    if (value.length === 0) refuseDetached(value);
    return value;
  },
  decode: (bytes) => bytes,
};

/** Whether this is a Uint8Array, or a subclass such as Buffer, of this realm or another. */
export function isBytes(value: unknown): value is Uint8Array {
  return (
    value instanceof Uint8Array ||
    (ArrayBuffer.isView(value) && (value as Partial<Uint8Array>)[Symbol.toStringTag] === "Uint8Array")
  );
}

/** Bytes whose buffer was transferred look empty, and must not be stored as such. */
export function refuseDetached(bytes: Uint8Array): void {
  try {
    new Uint8Array(bytes.buffer);
  } catch (cause) {
    throw new SelkieError("ENCODING", "the Uint8Array's buffer was transferred away", { cause });
  }
}

/** Says in a few words what a value is, for messages. */
export function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "bigint") return `the bigint ${value}`;
  if (typeof value === "number") return Object.is(value, -0) ? "the number -0" : `the number ${value}`;
  if (typeof value === "string") return `the string ${JSON.stringify(shorten(value))}`;
  if (typeof value !== "object" || value === null) return String(value);
  return `an object of type ${typeName(value)}`;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

/** The name of an object's class; never runs into what its properties may throw. */
function typeName(value: object): string {
  try {
    const name: unknown = value.constructor?.name;
    if (typeof name === "string" && name !== "") return name;
  } catch {
    // A getter or a proxy that throws: the tag below says enough.
  }
  return Array.isArray(value) ? "Array" : "unknown";
}
