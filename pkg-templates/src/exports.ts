/** What every entry of the package exports beside its functions. */

export { SelkieError } from "./error.js";
export type { ErrorDetails } from "./error.js";
export type { Api, PlaceOptions } from "./api.js";
export type { Database } from "./database.js";
export type { Keyspace } from "./keyspace.js";
export type { Savepoint, Transaction, TransactionKeyspace } from "./transaction.js";
export type { KeyspaceReader, View } from "./view.js";
export type * from "./types.js";
