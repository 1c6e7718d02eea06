/** A city, its keys, and the index by name that every change keeps in step within the same transaction. */

import type { Encoding, Keyspace, Transaction, TransactionKeyspace } from "selkie";

export interface City {
  name: string;
  country: string;
  region: string;
  latitude: number;
  longitude: number;
  note?: string;
}

export type Position = [latitude: number, longitude: number];

export interface Keyspaces {
  cities: Keyspace<string, City>;
  /** `folded-name <key of the city>` -> where it is. */
  names: Keyspace<string, Position>;
  journal: Keyspace<number, JournalEntry>;
}

/** What a commit did to the places, written by that same commit: where it stands in time is where its change does. */
export interface JournalEntry {
  did: "load" | "edit" | "delete" | "restore";
  what: string;
}

/** Two single floats: the index stays small, and the map needs no more than a tenth of a kilometre. */
export const positionEncoding: Encoding<Position> = {
  name: "position",
  encode([latitude, longitude]) {
    return new Uint8Array(Float32Array.of(latitude, longitude).buffer);
  },
  decode(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const degrees = (offset: number) => Math.round(view.getFloat32(offset, true) * 1e5) / 1e5;
    return [degrees(0), degrees(4)];
  },
};

const SPECIAL: Record<string, string> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" };

/** Lower case without accents; what is no letter or digit becomes one hyphen. So "Sã" finds "São Paulo", and "saint d" "Saint-Denis". */
export function fold(text: string): string {
  const plain = text
    .toLowerCase()
    .normalize("NFD")
    .replace(/[\p{M}'‘’ʻʼʿ`]/gu, "");
  return plain
    .replace(/[ßæœøłđðþı]/g, (letter) => SPECIAL[letter] ?? letter)
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-/, "");
}

/** A space orders before every letter and hyphen, so that "paris" comes before "paris-texas". */
function nameKey(name: string, cityKey: string): string {
  return `${fold(name).replace(/-$/, "")} ${cityKey}`;
}

export function cityKeyOf(nameKey: string): string {
  return nameKey.slice(nameKey.indexOf(" ") + 1);
}

/** Sets a city that is known to be new, and its index entry. */
export function putNew(
  cities: TransactionKeyspace<string, City>,
  names: TransactionKeyspace<string, Position>,
  key: string,
  city: City,
): void {
  cities.set(key, city);
  names.set(nameKey(city.name, key), [city.latitude, city.longitude]);
}

/** Sets a city and its index entry, whatever name it had before. */
export function putCity(tx: Transaction<string, unknown>, { cities, names }: Keyspaces, key: string, city: City): void {
  const before = tx.keyspace(cities).get(key);
  if (before && before.name !== city.name) tx.keyspace(names).delete(nameKey(before.name, key));
  tx.keyspace(cities).set(key, city);
  tx.keyspace(names).set(nameKey(city.name, key), [city.latitude, city.longitude]);
}

export function removeCity(tx: Transaction<string, unknown>, { cities, names }: Keyspaces, key: string): void {
  const before = tx.keyspace(cities).get(key);
  if (!before) return;
  tx.keyspace(cities).delete(key);
  tx.keyspace(names).delete(nameKey(before.name, key));
}

/** One line of the data set. The key is `country/name/number`, as the native demonstration has it. */
export function parseLine(line: string): { key: string; city: City } {
  const [key = "", region = "", latitude, longitude] = line.split("\t");
  const country = key.slice(0, key.indexOf("/"));
  const name = key.slice(key.indexOf("/") + 1, key.lastIndexOf("/"));
  return { key, city: { name, country, region, latitude: Number(latitude), longitude: Number(longitude) } };
}
