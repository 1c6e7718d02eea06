/** Places by the beginning of their names: one range of the index, and one read for each place that is shown. */

import type { Store } from "../store/store";
import { cityKeyOf, fold, type City, type Position } from "./cities";
import { measure, type Measured } from "./measure";

export const SHOWN = 80;

export interface Found {
  key: string;
  city: City;
}

export function search({ keyspaces: { cities, names } }: Store, text: string): Found[] {
  const keys = names
    .prefix(fold(text), { limit: SHOWN })
    .all()
    .map(([key]) => cityKeyOf(key));
  const found = cities.getMany(keys);
  return keys.flatMap((key, i) => (found[i] ? [{ key, city: found[i] }] : []));
}

export function countMatches({ keyspaces: { names } }: Store, text: string): number {
  const prefix = fold(text);
  // No key continues with the greatest code point, so that this is where the prefix ends.
  return names.count({ gte: prefix, lt: `${prefix}\u{10FFFF}` });
}

export function matchPositions({ keyspaces: { names } }: Store, text: string): Iterable<Position> {
  const prefix = fold(text);
  return names.values({ gte: prefix, lt: `${prefix}\u{10FFFF}` });
}

export function measureSearch(store: Store, text: string): Measured {
  return measure(() => search(store, text));
}
