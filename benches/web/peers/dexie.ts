import Dexie, { type Table } from "dexie";
import type { Durability, Entry, Peer, Store } from "../page/peer.js";

interface Row {
  id: string;
  value: string;
}

class DexieStore implements Store {
  readonly #db: Dexie;
  readonly #table: Table<Row, string>;

  constructor(db: Dexie) {
    this.#db = db;
    this.#table = db.table("records");
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#table.get(key))?.value;
  }

  async getMany(keys: string[]): Promise<(string | undefined)[]> {
    const rows = await this.#table.bulkGet(keys);
    return rows.map((row) => row?.value);
  }

  async range100(from: string): Promise<Entry[]> {
    const rows = await this.#table.where(":id").aboveOrEqual(from).limit(100).toArray();
    return rows.map((row) => [row.id, row.value]);
  }

  async put(key: string, value: string): Promise<void> {
    await this.#table.put({ id: key, value });
  }

  async bulk(entries: Entry[]): Promise<void> {
    await this.#table.bulkPut(entries.map(([id, value]) => ({ id, value })));
  }

  async deleteRange(from: string, to: string): Promise<void> {
    await this.#table.where(":id").between(from, to).delete();
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}

async function open(name: string, durability: Durability): Promise<Store> {
  const db = new Dexie(name, { chromeTransactionDurability: durability === "strict" ? "strict" : "relaxed" });
  db.version(1).stores({ records: "id" });
  await db.open();
  return new DexieStore(db);
}

export const peer: Peer = { open, destroy: (name) => Dexie.delete(name) };
