/** The build that PowerSync keeps, on OPFSCoopSync. WAL with the file locked for good is faster here than the rollback journal that lets tabs share. */
import SQLiteModule from "@journeyapps/wa-sqlite/dist/wa-sqlite.mjs";
import { OPFSCoopSyncVFS } from "@journeyapps/wa-sqlite/src/examples/OPFSCoopSyncVFS.js";
import * as SQLite from "@journeyapps/wa-sqlite";
import type { Durability, Entry } from "../page/peer.js";
import { serve, type WorkerEngine } from "./serve-worker.js";
import { CACHE_KIB, DELETE_RANGE, GET, PAGE_BYTES, PUT, RANGE, TABLE, synchronous } from "./sql.js";

type SQLiteApi = ReturnType<typeof SQLite.Factory>;
type Row = ReturnType<SQLiteApi["row"]>;

class WaSqliteEngine implements WorkerEngine {
  #module!: { HEAPU8: Uint8Array };
  #sqlite3!: SQLiteApi;
  #db!: number;
  readonly #statements = new Map<string, number>();

  async open(name: string, durability: Durability): Promise<void> {
    const module = await SQLiteModule();
    this.#module = module;
    this.#sqlite3 = SQLite.Factory(module);
    this.#sqlite3.vfs_register(await OPFSCoopSyncVFS.create("opfs", module), true);
    this.#db = await this.#sqlite3.open_v2(name);
    for (const pragma of [`page_size = ${PAGE_BYTES}`, "locking_mode = exclusive", "journal_mode = wal", `cache_size = -${CACHE_KIB}`]) {
      await this.#sqlite3.exec(this.#db, `pragma ${pragma}`);
    }
    await this.#sqlite3.exec(this.#db, synchronous(durability));
    await this.#sqlite3.exec(this.#db, TABLE);
    for (const text of [GET, PUT, RANGE, DELETE_RANGE, "begin", "commit"]) {
      await this.#prepare(text);
    }
  }

  async #prepare(text: string): Promise<void> {
    for await (const statement of this.#sqlite3.statements(this.#db, text, { unscoped: true })) {
      this.#statements.set(text, statement);
    }
  }

  async #run(text: string, ...values: string[]): Promise<Row[]> {
    const statement = this.#statements.get(text) as number;
    values.forEach((value, at) => this.#sqlite3.bind_text(statement, at + 1, value));
    const rows: Row[] = [];
    while ((await this.#sqlite3.step(statement)) === SQLite.SQLITE_ROW) {
      rows.push(this.#sqlite3.row(statement));
    }
    await this.#sqlite3.reset(statement);
    return rows;
  }

  async get(key: string): Promise<string | undefined> {
    const rows = await this.#run(GET, key);
    return rows[0]?.[0] as string | undefined;
  }

  async getMany(keys: string[]): Promise<(string | undefined)[]> {
    await this.#run("begin");
    const values: (string | undefined)[] = [];
    for (const key of keys) {
      values.push(await this.get(key));
    }
    await this.#run("commit");
    return values;
  }

  async range100(from: string): Promise<Entry[]> {
    return (await this.#run(RANGE, from)) as unknown as Entry[];
  }

  async put(key: string, value: string): Promise<void> {
    await this.#run(PUT, key, value);
  }

  async bulk(entries: Entry[]): Promise<void> {
    await this.#run("begin");
    for (const [key, value] of entries) {
      await this.#run(PUT, key, value);
    }
    await this.#run("commit");
  }

  async deleteRange(from: string, to: string): Promise<void> {
    await this.#run(DELETE_RANGE, from, to);
  }

  wasmBytes(): number {
    return this.#module.HEAPU8.byteLength;
  }

  async close(): Promise<void> {
    for (const statement of this.#statements.values()) {
      await this.#sqlite3.finalize(statement);
    }
    await this.#sqlite3.close(this.#db);
  }

  async destroy(name: string): Promise<void> {
    const root = await navigator.storage.getDirectory();
    await root.removeEntry(name);
  }
}

serve(new WaSqliteEngine());
