/**
 * Tuples as keys. Their bytes order as the tuples do: part by part, and a part by its type and then its value. A
 * tuple's bytes begin those of every tuple that begins with its parts, so that a prefix of parts is a prefix of keys.
 *
 * Each part is a tag, its value, and for values of no fixed length a zero at the end. Within text and bytes 00 is
 * written as 01 01, and 01 as 01 02: the order stays, and a zero is never anything but an end.
 */

import { describe, isBytes, refuseDetached } from "./encoding-binary.js";
import type { BytesCodec } from "./encoding.js";
import { readNumber, writeNumber } from "./encoding-number.js";
import { decodeUtf8, isWellFormed } from "./encoding-utf8.js";
import { SelkieError } from "./error.js";
import type { Tuple, TuplePart } from "./types.js";

const END = 0x00;
const ESCAPE = 0x01;
const NULL = 0x10;
const FALSE = 0x20;
const TRUE = 0x21;
const NUMBER = 0x30;
const TEXT = 0x40;
const BYTES = 0x50;
const NESTED = 0x60;

/** How deep tuples nest; it ends the walk through one that contains itself. */
const DEPTH = 100;

const encoder = new TextEncoder();

/** The bytes written so far. It is kept from one tuple to the next and grows to the largest. */
let buffer = new Uint8Array(256);
let length = 0;

export const tuple: BytesCodec<Tuple> = {
  name: "tuple",
  text: false,
  encode(value) {
    if (!Array.isArray(value)) throw new SelkieError("ENCODING", `not a tuple: ${describe(value)}`);
    length = 0;
    writeParts(value, []);
    return buffer.slice(0, length);
  },
  decode(bytes) {
    const reader: Reader = { bytes, at: 0 };
    const parts: TuplePart[] = [];
    while (reader.at < bytes.length) parts.push(readPart(reader, 0));
    return parts;
  },
};

function writeParts(parts: Tuple, path: number[]): void {
  if (path.length > DEPTH) throw new SelkieError("ENCODING", `a tuple nests more than ${DEPTH} deep`);
  for (let index = 0; index < parts.length; index++) writePart(parts[index], path, index);
}

function writePart(part: TuplePart | undefined, path: number[], index: number): void {
  reserve(10);
  if (typeof part === "string") {
    writeText(part, path, index);
  } else if (typeof part === "number" && part === part) {
    buffer[length] = NUMBER;
    writeNumber(buffer, length + 1, part);
    length += 9;
  } else if (part === null || typeof part === "boolean") {
    buffer[length++] = part === null ? NULL : part ? TRUE : FALSE;
  } else if (isBytes(part)) {
    if (part.length === 0) refuseDetached(part);
    writeEscaped(BYTES, part);
  } else if (Array.isArray(part)) {
    buffer[length++] = NESTED;
    writeParts(part, [...path, index]);
    reserve(1);
    buffer[length++] = END;
  } else {
    throw refusal(path, index, `is ${describe(part)}`);
  }
}

function writeText(text: string, path: number[], index: number): void {
  if (!isWellFormed(text)) throw refusal(path, index, "has a lone surrogate");
  reserve(text.length * 2 + 2);
  const start = length;
  buffer[length++] = TEXT;
  for (let position = 0; position < text.length; position++) {
    const unit = text.charCodeAt(position);
    if (unit > 0x7f) {
      length = start;
      writeEscaped(TEXT, encoder.encode(text));
      return;
    }
    writeByte(unit);
  }
  buffer[length++] = END;
}

function writeEscaped(tag: number, bytes: Uint8Array): void {
  reserve(bytes.length * 2 + 2);
  buffer[length++] = tag;
  for (let index = 0; index < bytes.length; index++) writeByte(bytes[index]!);
  buffer[length++] = END;
}

function writeByte(byte: number): void {
  if (byte <= ESCAPE) {
    buffer[length++] = ESCAPE;
    byte++;
  }
  buffer[length++] = byte;
}

function reserve(more: number): void {
  if (length + more <= buffer.length) return;
  const larger = new Uint8Array(Math.max(buffer.length * 2, length + more));
  larger.set(buffer.subarray(0, length));
  buffer = larger;
}

function refusal(path: number[], index: number, what: string): SelkieError {
  const place = [...path, index].map((step) => `[${step}]`).join("");
  return new SelkieError("ENCODING", `the tuple's part ${place} ${what}`);
}

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

function readPart(reader: Reader, depth: number): TuplePart {
  switch (reader.bytes[reader.at++]) {
    case NULL:
      return null;
    case FALSE:
      return false;
    case TRUE:
      return true;
    case NUMBER:
      if (reader.at + 8 > reader.bytes.length) throw foreign();
      reader.at += 8;
      return readNumber(reader.bytes, reader.at - 8);
    case TEXT:
      return decodeUtf8(readEscaped(reader));
    case BYTES:
      return readEscaped(reader).slice();
    case NESTED:
      return readNested(reader, depth + 1);
    default:
      throw foreign();
  }
}

function readNested(reader: Reader, depth: number): TuplePart[] {
  if (depth > DEPTH) throw foreign();
  const parts: TuplePart[] = [];
  while (reader.bytes[reader.at] !== END) parts.push(readPart(reader, depth));
  reader.at++;
  return parts;
}

/** The bytes up to the end, as a part of the key where nothing was escaped. */
function readEscaped(reader: Reader): Uint8Array {
  const start = reader.at;
  const end = reader.bytes.indexOf(END, start);
  if (end < 0) throw foreign();
  reader.at = end + 1;
  const bytes = reader.bytes.subarray(start, end);
  return bytes.includes(ESCAPE) ? unescape(bytes) : bytes;
}

function unescape(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.length);
  let to = 0;
  for (let from = 0; from < bytes.length; from++) {
    const byte = bytes[from]!;
    plain[to++] = byte === ESCAPE ? unescapeByte(bytes[++from]) : byte;
  }
  return plain.subarray(0, to);
}

function unescapeByte(byte: number | undefined): number {
  if (byte !== 1 && byte !== 2) throw foreign();
  return byte - 1;
}

function foreign(): SelkieError {
  return new SelkieError("ENCODING", "the bytes are not those of a tuple: stored with another encoding?");
}
