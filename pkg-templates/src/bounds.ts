/** Ranges as the engine takes them: two bounds, each with a kind. */

import type { Codec } from "./encoding.js";
import { invalid } from "./error.js";
import { toBytes } from "./memory.js";
import { checkNames } from "./options.js";
import type { RangeOptions, WatchOptions } from "./types.js";

/** Kinds of bounds, as the engine numbers them. */
export const NONE = 0;
export const INCLUDED = 1;
export const EXCLUDED = 2;

export interface Bounds {
  readonly low: number;
  readonly lowKey: Uint8Array;
  readonly high: number;
  readonly highKey: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const EVERYTHING: Bounds = { low: NONE, lowKey: EMPTY, high: NONE, highKey: EMPTY };
export const NAMES = ["gt", "gte", "lt", "lte"] as const;

/** The bounds that options name, which may have `others` beside them. */
export function boundsOf<K>(
  codec: Codec<K>,
  options: RangeOptions<K> | WatchOptions<K> | undefined,
  others: readonly string[],
): Bounds {
  if (options === undefined) return EVERYTHING;
  checkNames("the options of a range", options, NAMES, others);
  const { gt, gte, lt, lte } = options;
  if (gt !== undefined && gte !== undefined) throw invalid("a range has gt or gte, not both");
  if (lt !== undefined && lte !== undefined) throw invalid("a range has lt or lte, not both");
  // Null may be a key, or a mistake; it is not an open end.
  const lowKey = gt === undefined ? gte : gt;
  const highKey = lt === undefined ? lte : lt;
  return {
    low: lowKey === undefined ? NONE : gt === undefined ? INCLUDED : EXCLUDED,
    lowKey: lowKey === undefined ? EMPTY : toBytes(codec.encode(lowKey)),
    high: highKey === undefined ? NONE : lt === undefined ? INCLUDED : EXCLUDED,
    highKey: highKey === undefined ? EMPTY : toBytes(codec.encode(highKey)),
  };
}

/** The bounds of the keys whose bytes begin with those of a prefix. */
export function prefixBounds<K>(codec: Codec<K>, prefix: K): Bounds {
  const lowKey = toBytes(codec.encode(prefix)).slice();
  let end = lowKey.length;
  while (end > 0 && lowKey[end - 1] === 255) end--;
  if (end === 0) return { ...EVERYTHING, low: INCLUDED, lowKey };
  const highKey = lowKey.slice(0, end);
  highKey[end - 1] = (highKey[end - 1] as number) + 1;
  return { low: INCLUDED, lowKey, high: EXCLUDED, highKey };
}

/** An option that is true or false. */
export function flagOf(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== "boolean") throw invalid(`${name} is true or false, not ${String(value)}`);
  return value;
}

/** The number of an option that counts something. */
export function countOf(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (value === Infinity) return fallback;
  if (!Number.isSafeInteger(value) || value < 0) throw invalid(`${name} is a count, not ${String(value)}`);
  return value;
}
