/** The official build on its fastest file system, in the mode that is fastest there: WAL with the file locked for good. */
import sqlite3InitModule, { type Database, type PreparedStatement, type Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import type { Durability, Entry } from "../page/peer.js";
import { serve, type WorkerEngine } from "./serve-worker.js";
import { CACHE_KIB, DELETE_RANGE, GET, PAGE_BYTES, PUT, RANGE, TABLE, synchronous } from "./sql.js";

class SqliteEngine implements WorkerEngine {
  #db!: Database;
  #get!: PreparedStatement;
  #put!: PreparedStatement;
  #range!: PreparedStatement;
  #deleteRange!: PreparedStatement;
  #wasm!: Sqlite3Static["wasm"];

  async open(name: string, durability: Durability): Promise<void> {
    const sqlite3 = await sqlite3InitModule();
    this.#wasm = sqlite3.wasm;
    const pool = await sqlite3.installOpfsSAHPoolVfs({});
    this.#db = new pool.OpfsSAHPoolDb(`/${name}`);
    // Locking must be exclusive before the first access, or a database in WAL mode does not open here.
    for (const pragma of ["locking_mode = exclusive", `page_size = ${PAGE_BYTES}`, "journal_mode = wal", `cache_size = -${CACHE_KIB}`]) {
      this.#db.exec(`pragma ${pragma}`);
    }
    this.#db.exec(synchronous(durability));
    this.#db.exec(TABLE);
    this.#get = this.#db.prepare(GET);
    this.#put = this.#db.prepare(PUT);
    this.#range = this.#db.prepare(RANGE);
    this.#deleteRange = this.#db.prepare(DELETE_RANGE);
  }

  get(key: string): string | undefined {
    const value = this.#get.bind(1, key).step() ? (this.#get.getString(0) ?? undefined) : undefined;
    this.#get.reset();
    return value;
  }

  getMany(keys: string[]): (string | undefined)[] {
    return keys.map((key) => this.get(key));
  }

  range100(from: string): Entry[] {
    const entries: Entry[] = [];
    this.#range.bind(1, from);
    while (this.#range.step()) {
      entries.push([this.#range.getString(0) as string, this.#range.getString(1) as string]);
    }
    this.#range.reset();
    return entries;
  }

  put(key: string, value: string): void {
    this.#put.bind(1, key).bind(2, value).stepReset();
  }

  bulk(entries: Entry[]): void {
    this.#db.transaction(() => entries.forEach(([key, value]) => this.put(key, value)));
  }

  deleteRange(from: string, to: string): void {
    this.#deleteRange.bind(1, from).bind(2, to).stepReset();
  }

  wasmBytes(): number {
    return this.#wasm.heap8u().byteLength;
  }

  close(): void {
    for (const statement of [this.#get, this.#put, this.#range, this.#deleteRange]) {
      statement.finalize();
    }
    this.#db.close();
  }

  async destroy(): Promise<void> {
    const sqlite3 = await sqlite3InitModule();
    const pool = await sqlite3.installOpfsSAHPoolVfs({});
    await pool.removeVfs();
  }
}

serve(new SqliteEngine());
