/** Postgres on its fastest file system. Its own worker helper elects a leader among tabs, which costs it time: here is none to elect. */
import { PGlite } from "@electric-sql/pglite";
import type { Durability, Entry } from "../page/peer.js";
import { serve, type WorkerEngine } from "./serve-worker.js";

const TABLE = 'create table if not exists records (key text collate "C" primary key, value text not null)';
const GET = "select value from records where key = $1";
const GET_MANY = "select key, value from records where key = any($1)";
const RANGE = "select key, value from records where key >= $1 order by key limit 100";
const DELETE_RANGE = "delete from records where key >= $1 and key < $2";
const PUT = "insert into records values ($1, $2) on conflict (key) do update set value = excluded.value";
const BULK = `insert into records select * from unnest($1::text[], $2::text[]) on conflict (key) do update set value = excluded.value`;

interface Row {
  key: string;
  value: string;
}

class PgliteEngine implements WorkerEngine {
  #db!: PGlite;

  async open(name: string, durability: Durability): Promise<void> {
    this.#db = await PGlite.create(`opfs-ahp://${name}`, { relaxedDurability: durability === "relaxed" });
    await this.#db.exec(TABLE);
  }

  async get(key: string): Promise<string | undefined> {
    const { rows } = await this.#db.query<Row>(GET, [key]);
    return rows[0]?.value;
  }

  async getMany(keys: string[]): Promise<(string | undefined)[]> {
    const { rows } = await this.#db.query<Row>(GET_MANY, [keys]);
    const found = new Map(rows.map((row) => [row.key, row.value]));
    return keys.map((key) => found.get(key));
  }

  async range100(from: string): Promise<Entry[]> {
    const { rows } = await this.#db.query<Row>(RANGE, [from]);
    return rows.map((row) => [row.key, row.value]);
  }

  async put(key: string, value: string): Promise<void> {
    await this.#db.query(PUT, [key, value]);
  }

  async bulk(entries: Entry[]): Promise<void> {
    await this.#db.query(BULK, [entries.map(([key]) => key), entries.map(([, value]) => value)]);
  }

  async deleteRange(from: string, to: string): Promise<void> {
    await this.#db.query(DELETE_RANGE, [from, to]);
  }

  wasmBytes(): number {
    return this.#db.Module.HEAPU8.byteLength;
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  async destroy(name: string): Promise<void> {
    const root = await navigator.storage.getDirectory();
    await root.removeEntry(name, { recursive: true });
  }
}

serve(new PgliteEngine());
