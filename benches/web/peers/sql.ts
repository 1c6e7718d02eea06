/** The statements that both builds of SQLite run. */
import type { Durability } from "../page/peer.js";

export const PAGE_BYTES = 8192;
export const CACHE_KIB = 32_768;
export const TABLE = "create table if not exists records (key text primary key, value text not null) without rowid";
export const GET = "select value from records where key = ?";
export const RANGE = "select key, value from records where key >= ? order by key limit 100";
export const DELETE_RANGE = "delete from records where key >= ? and key < ?";
export const PUT = "insert into records values (?, ?) on conflict (key) do update set value = excluded.value";

export function synchronous(durability: Durability): string {
  return `pragma synchronous = ${durability === "strict" ? "full" : "normal"}`;
}
