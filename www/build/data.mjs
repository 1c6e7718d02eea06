// Makes the page's data out of the demonstration's: one line for each city, from the east to the west, compressed.

import { createReadStream, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";

const demo = new URL("../../target/demo/", import.meta.url);
const output = new URL("../public/cities.tsv.gzip", import.meta.url);

const regions = new Map(
  JSON.parse(readFileSync(new URL("package/admin1.json", demo), "utf8")).map(({ code, name }) => [code, name]),
);

const cities = [];
for await (const line of createInterface({ input: createReadStream(new URL("cities.jsonl", demo)) })) {
  const { key, value } = JSON.parse(line);
  const region = regions.get(`${value.country}.${value.region}`) ?? "";
  cities.push({ longitude: value.longitude, line: [key, region, value.latitude, value.longitude].join("\t") });
}
// In the order of sunrise the map fills as the world turns, and every part of the load has cities of many countries.
cities.sort((one, other) => other.longitude - one.longitude);

const text = `${cities.length}\n${cities.map((city) => city.line).join("\n")}\n`;
mkdirSync(new URL(".", output), { recursive: true });
writeFileSync(output, gzipSync(text, { level: 9 }));
console.log(`${cities.length} cities`);
