/** Finds the encoding of keys or values that was asked for. Each encoding has a file of its own. */

import { binary, isBytes } from "./encoding-binary.js";
import { json } from "./encoding-json.js";
import { number } from "./encoding-number.js";
import { tuple } from "./encoding-tuple.js";
import { utf8 } from "./encoding-utf8.js";
import { SelkieError } from "./error.js";
import type { Encoding, KeyEncoding, ValueEncoding } from "./types.js";

/** An encoding whose bytes are UTF-8. Its caller writes the text, which costs less than an array of bytes. */
export interface TextCodec<T> {
  readonly name: string;
  readonly text: true;
  /** Well-formed text: no lone surrogates. */
  encode(value: T): string;
  decodeText(text: string): T;
  decode(bytes: Uint8Array): T;
}

/** An encoding whose bytes are not text. `decode` may keep the bytes it gets. */
export interface BytesCodec<T> {
  readonly name: string;
  readonly text: false;
  /** Whether it is the user's own: it may call the database, which has other things in its memory afterwards. */
  readonly foreign?: boolean;
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

export type Codec<T> = TextCodec<T> | BytesCodec<T>;

const KEYS = { utf8, binary, number, tuple };
const VALUES = { json, utf8, binary };

/** The encoding of keys; `utf8` where none is named. */
export function keyEncoding<K>(choice: KeyEncoding<K> | undefined): Codec<K> {
  return find<K>("keyEncoding", KEYS, choice ?? "utf8");
}

/** The encoding of values; `json` where none is named. */
export function valueEncoding<V>(choice: ValueEncoding<V> | undefined): Codec<V> {
  return find<V>("valueEncoding", VALUES, choice ?? "json");
}

function find<T>(option: string, known: object, choice: string | Encoding<T>): Codec<T> {
  if (typeof choice === "string") {
    if (Object.hasOwn(known, choice)) {
      // The names are typed by what they encode where the option is declared; here they are only names.
      return (known as Record<string, unknown>)[choice] as Codec<T>;
    }
  } else if (typeof choice?.encode === "function" && typeof choice.decode === "function") {
    return custom(choice);
  }
  const names = Object.keys(known).join('", "');
  throw new SelkieError("INVALID_ARGUMENT", `${option} is "${names}", or an object with encode and decode`);
}

/** Checks what the user's own encoding answers, and gives its errors a code. */
function custom<T>(encoding: Encoding<T>): Codec<T> {
  const name = encoding.name ?? "custom";
  const guard = <A, B>(what: string, call: (input: A) => B, input: A): B => {
    try {
      return call.call(encoding, input);
    } catch (cause) {
      throw new SelkieError("ENCODING", `the encoding "${name}" could not ${what}: ${String(cause)}`, { cause });
    }
  };
  return {
    name,
    text: false,
    foreign: true,
    encode(value) {
      const bytes: unknown = guard("encode", encoding.encode, value);
      if (!isBytes(bytes)) throw new SelkieError("ENCODING", `the encoding "${name}" did not return a Uint8Array`);
      return bytes;
    },
    decode: (bytes) => guard("decode", encoding.decode, bytes),
  };
}
