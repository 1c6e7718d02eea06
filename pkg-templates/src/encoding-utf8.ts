/**
 * Text as UTF-8. Keys order by code points. A lone surrogate is refused, because UTF-8 has no bytes for it and the
 * usual replacement would change the text.
 */

import { describe } from "./encoding-binary.js";
import type { TextCodec } from "./encoding.js";
import { SelkieError } from "./error.js";

// The byte order mark is text like any other, not to be dropped.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LONE_SURROGATE = /\p{Surrogate}/u;

export const utf8: TextCodec<string> = {
  name: "utf8",
  text: true,
  encode(value) {
    if (typeof value !== "string") throw new SelkieError("ENCODING", `not a string: ${describe(value)}`);
    if (!isWellFormed(value)) throw new SelkieError("ENCODING", "the string has a lone surrogate");
    return value;
  },
  decodeText: (text) => text,
  decode: decodeUtf8,
};

/** Whether a string has no lone surrogates. */
export const isWellFormed: (text: string) => boolean =
  "isWellFormed" in String.prototype
    ? (text) => (text as string & { isWellFormed(): boolean }).isWellFormed()
    : (text) => !LONE_SURROGATE.test(text);

/** Reads bytes as UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new SelkieError("ENCODING", "the bytes are not UTF-8: stored with another encoding?", { cause });
  }
}
