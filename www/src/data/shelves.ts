/** The keyspaces as a person browses them: each with the way its keys and values read. */

import type { RangeOptions, Reader } from "selkie";
import type { Store } from "../store/store";

export interface Shelf {
  about: string;
  reader: Reader<never, unknown>;
  /** A key as it was typed, or undefined where it is not one. */
  parse(text: string): unknown;
}

export interface Range {
  from: string;
  to: string;
  reverse: boolean;
}

const asText = (text: string) => text;
const asNumber = (text: string) => (Number.isFinite(Number(text)) ? Number(text) : undefined);

export function shelves({ db, keyspaces, stream }: Store): Record<string, Shelf> {
  const shelf = (reader: unknown, parse: Shelf["parse"], about: string): Shelf => ({
    reader: reader as Shelf["reader"],
    parse,
    about,
  });
  return {
    cities: shelf(keyspaces.cities, asText, "country/name/number → the place, as JSON"),
    names: shelf(keyspaces.names, asText, "folded name and key → position, two floats"),
    journal: shelf(keyspaces.journal, asNumber, "number → what a commit did to the places"),
    stream: shelf(stream, asNumber, "number → an entry of the stream that is cut under Recovery"),
    default: shelf(db, asText, "the page’s own notes"),
  };
}

export function rangeOptions(shelf: Shelf, { from, to, reverse }: Range): RangeOptions<never> {
  const bound = (text: string) => (text === "" ? undefined : (shelf.parse(text) as never));
  const options: RangeOptions<never> = { reverse };
  const [gte, lt] = [bound(from), bound(to)];
  if (gte !== undefined) options.gte = gte;
  if (lt !== undefined) options.lt = lt;
  return options;
}
