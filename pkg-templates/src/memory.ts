/**
 * The engine's memory: where arguments are written and results are read.
 *
 * A view of the memory dies when the memory grows, which any call of the engine may do, so that each use asks for the
 * view anew. A view that died has no length.
 */

import { input, registers } from "#core";
import { decodeUtf8 } from "./encoding-utf8.js";
import { SelkieError } from "./error.js";

const encoder = new TextEncoder();

/** Up to these lengths a loop over ASCII characters is faster than the platform's encoder and decoder. */
const SHORT_TEXT = 160;
const SHORT_BYTES = 64;

/** The engine takes no more at once, of the 4 GB that it can have. */
const MOST_BYTES = 2 ** 31 - 1;

/** The length that stands for nothing. */
export const NOTHING = 0xffffffff;

let memory: WebAssembly.Memory | undefined;
let bytes = new Uint8Array(0);
let words = new Uint32Array(0);
let inputAt = 0;
let inputBytes = 0;
let registersAt = 0;

/** Begins to use the memory of an engine that was loaded. */
export function attach(loaded: WebAssembly.Memory): void {
  memory = loaded;
  registersAt = registers() / 4;
}

/** The bytes of the memory, good until the engine is called. */
export function view(): Uint8Array {
  if (bytes.length === 0 && memory) {
    bytes = new Uint8Array(memory.buffer);
    words = new Uint32Array(memory.buffer);
  }
  return bytes;
}

export function memoryBytes(): number {
  return memory?.buffer.byteLength ?? 0;
}

/** A register: what the last call pointed to. */
export function register(index: 0 | 1 | 2 | 3): number {
  view();
  return words[registersAt + index] as number;
}

/** What the last call packed: byte strings one after the other, and the table of their lengths. */
export interface Packed {
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
}

/** Reads what was packed; a copy, where it is to be good after the next call of the engine. */
export function packed(kept: boolean): Packed {
  const at = register(0);
  const table = register(2) / 4;
  const found = {
    bytes: view().subarray(at, at + register(1)),
    lengths: words.subarray(table, table + register(3)),
  };
  return kept ? { bytes: found.bytes.slice(), lengths: found.lengths.slice() } : found;
}

/** Makes room for so many bytes of arguments and returns where. */
function room(needed: number): number {
  // After a large argument its space is given back.
  if (needed > inputBytes || inputBytes > 1 << 20) {
    const wanted = Math.max(needed, 1 << 16);
    inputBytes = 0;
    inputAt = wanted <= MOST_BYTES ? input(wanted) : 0;
    if (inputAt === 0) throw new SelkieError("LIMIT", `limit exceeded: no memory for ${needed} bytes of arguments`);
    inputBytes = wanted;
  }
  return inputAt;
}

const mostBytes = (part: string | Uint8Array): number => (typeof part === "string" ? part.length * 3 : part.length);

/** Writes text or bytes at an address and returns how many bytes that were. */
function write(target: Uint8Array, at: number, part: string | Uint8Array): number {
  if (typeof part !== "string") {
    target.set(part, at);
    return part.length;
  }
  const { length } = part;
  if (length <= SHORT_TEXT) {
    let index = 0;
    for (; index < length; index++) {
      const code = part.charCodeAt(index);
      if (code > 127) break;
      target[at + index] = code;
    }
    if (index === length) return length;
  }
  return encoder.encodeInto(part, target.subarray(at)).written;
}

/** Writes one argument and returns its length in bytes. */
export function putOne(part: string | Uint8Array): number {
  const at = room(mostBytes(part));
  return write(view(), at, part);
}

/** How many bytes the second of two arguments has. */
export let secondBytes = 0;

/** Writes two arguments one after the other; returns the length of the first and leaves that of the second. */
export function putTwo(first: string | Uint8Array, second: string | Uint8Array): number {
  const at = room(mostBytes(first) + mostBytes(second));
  const target = view();
  const firstBytes = write(target, at, first);
  secondBytes = write(target, at + firstBytes, second);
  return firstBytes;
}

/** Arguments of any number, of which some may be nothing: a table of their lengths, and then all of them in a row. */
export function putMany(parts: readonly (string | Uint8Array | undefined)[]): void {
  const tableBytes = parts.length * 4;
  let most = tableBytes;
  let allText = true;
  for (const part of parts) {
    if (part === undefined) continue;
    most += mostBytes(part);
    allText &&= typeof part === "string";
  }
  const at = room(most);
  const target = view();
  if (allText && writeJoined(target, at, tableBytes, parts as readonly (string | undefined)[])) return;
  let end = at + tableBytes;
  parts.forEach((part, index) => {
    const length = part === undefined ? NOTHING : write(target, end, part);
    writeLength(target, at + index * 4, length);
    if (length !== NOTHING) end += length;
  });
}

/** One call of the platform's encoder for everything costs a fraction of one for each, but tells lengths only of ASCII. */
function writeJoined(target: Uint8Array, at: number, tableBytes: number, parts: readonly (string | undefined)[]): boolean {
  const text = parts.join("");
  if (encoder.encodeInto(text, target.subarray(at + tableBytes)).written !== text.length) return false;
  parts.forEach((part, index) => writeLength(target, at + index * 4, part === undefined ? NOTHING : part.length));
  return true;
}

function writeLength(target: Uint8Array, at: number, length: number): void {
  target[at] = length;
  target[at + 1] = length >>> 8;
  target[at + 2] = length >>> 16;
  target[at + 3] = length >>> 24;
}

/** The text at a place in bytes. */
export function textIn(source: Uint8Array, at: number, length: number): string {
  if (length <= SHORT_BYTES) {
    const codes = new Array<number>(length);
    let bits = 0;
    for (let index = 0; index < length; index++) {
      const code = source[at + index] as number;
      codes[index] = code;
      bits |= code;
    }
    if (bits < 128) return String.fromCharCode.apply(undefined, codes);
  }
  return decodeUtf8(source.subarray(at, at + length));
}

/** The bytes of a text or byte string, to be kept. */
export function toBytes(part: string | Uint8Array): Uint8Array {
  return typeof part === "string" ? encoder.encode(part) : part;
}
