/** Ranges as abstract-level gives them: bounds of one format, of which the inclusive one counts. */

import type { Encoding, RangeOptions } from "selkie";
import { isWellFormed } from "./encoding-utf8.js";

/** How abstract-level hands over keys and values: as text or as a Uint8Array. */
export type Format = "utf8" | "view";
export type Data = string | Uint8Array;

export interface Formats {
  readonly keyEncoding: Format;
  readonly valueEncoding: Format;
}

export interface RangeRequest extends Pick<Formats, "keyEncoding"> {
  readonly gt?: Data;
  readonly gte?: Data;
  readonly lt?: Data;
  readonly lte?: Data;
  readonly reverse: boolean;
  /** -1 for none. */
  readonly limit: number;
  readonly signal?: AbortSignal | null;
}

type Bounds = RangeOptions<Data>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Text as Level has it: bytes that are not UTF-8 are read as replacement characters, and are no error as in Selkie. */
const text: Encoding<Data> = {
  name: "utf8",
  encode(data) {
    if (typeof data === "string" && !isWellFormed(data)) throw new Error("the string has a lone surrogate");
    return toBytes(data);
  },
  decode: (bytes) => decoder.decode(bytes),
};

export function encodingOf(format: Format): "binary" | Encoding<Data> {
  return format === "utf8" ? text : "binary";
}

/** The range that is asked for, or undefined where nothing can be in it. */
export function range(request: RangeRequest): Bounds | undefined {
  const bounds: Bounds = { reverse: request.reverse };
  if (request.gte !== undefined) bounds.gte = request.gte;
  else if (request.gt !== undefined) bounds.gt = request.gt;
  if (request.lte !== undefined) bounds.lte = request.lte;
  else if (request.lt !== undefined) bounds.lt = request.lt;
  return isEmpty(bounds) ? undefined : bounds;
}

/** The rest of a range from a key on, or undefined where the key is outside of it. */
export function rangeFrom(bounds: Bounds, target: Data): Bounds | undefined {
  const key = toBytes(target);
  if (isBelow(bounds, key) || isAbove(bounds, key)) return undefined;
  const { gt, gte, lt, lte, reverse } = bounds;
  const rest: Bounds = reverse ? { lte: key, reverse } : { gte: key };
  if (reverse) return gte !== undefined ? { ...rest, gte } : gt !== undefined ? { ...rest, gt } : rest;
  return lte !== undefined ? { ...rest, lte } : lt !== undefined ? { ...rest, lt } : rest;
}

export function toBytes(data: Data): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

function isEmpty({ gt, gte, lt, lte }: Bounds): boolean {
  const low = gte ?? gt;
  const high = lte ?? lt;
  if (low === undefined || high === undefined) return false;
  const order = compare(toBytes(low), toBytes(high));
  return order > 0 || (order === 0 && (gte === undefined || lte === undefined));
}

function isBelow({ gt, gte }: Bounds, key: Uint8Array): boolean {
  if (gte !== undefined) return compare(key, toBytes(gte)) < 0;
  return gt !== undefined && compare(key, toBytes(gt)) <= 0;
}

function isAbove({ lt, lte }: Bounds, key: Uint8Array): boolean {
  if (lte !== undefined) return compare(key, toBytes(lte)) > 0;
  return lt !== undefined && compare(key, toBytes(lt)) >= 0;
}

function compare(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const difference = left[index]! - right[index]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
