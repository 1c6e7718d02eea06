/** What a person can do about an error, by its code. */

import { SelkieError, type ErrorCode } from "selkie";

const ADVICE: Record<ErrorCode, string> = {
  ABORTED: "It was ended on request. Start it again when you like.",
  CLOSED: "The database was closed meanwhile. Reload the page.",
  CONFLICT: "Another commit changed what this one had read. Try again.",
  CORRUPTED: "A file is damaged, and nothing of it is guessed. Start over, then import an export if there is one.",
  DURABILITY_UNKNOWN: "Writing failed, and what survived is known only after opening again: Reopen, under Storage.",
  ENCODING: "A key or value does not fit its keyspace. Check what you entered.",
  EXISTS: "There is a database of that name already: delete it first, or choose another name.",
  HISTORY_COLLECTED: "That part of the past is no longer kept. Choose a later moment.",
  INVALID_ARGUMENT: "Check what you entered.",
  IO: "The browser’s storage failed. Open again; if it fails again, choose another storage.",
  KEYSPACE_NOT_FOUND: "The keyspace did not exist at that moment. Choose a later one.",
  LAGGED: "This tab could not keep up with the changes. Reload the page.",
  LIMIT: "It is larger than the limits allow. Do it in smaller parts.",
  LOCKED: "Another tab has this database. Close that tab, or follow it read-only.",
  LOST: "The storage went away under the database, or the engine was stopped. Open it again, if need be in a new page: what was acknowledged is there, unless the browser’s data was cleared.",
  NOT_FOUND: "There is no such database. Load the cities first.",
  POISONED: "Writing stopped after an earlier error; reading goes on. Reopen, under Storage.",
  QUOTA: "The browser’s storage is full. Free some space and try again; what was there is untouched.",
  READER_ENDED: "It took too long, and was ended to save memory. Start it again.",
  READ_ONLY: "This tab only follows. Write in the other tab, or close that one and take over.",
  UNAVAILABLE: "This browser, or this private window, has no such storage. Choose another one.",
  UNSUPPORTED_FORMAT: "A later version wrote these files. Reload to get the newest page.",
};

export interface Explained {
  code: string;
  message: string;
  advice: string;
}

export function explain(error: unknown): Explained {
  if (error instanceof SelkieError) return { code: error.code, message: error.message, advice: ADVICE[error.code] };
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  if (name === "TypeError" && /fetch|network/i.test(message)) {
    return {
      code: "NETWORK",
      message,
      advice: "The data set could not be fetched. Check the connection and try again; what was loaded is kept.",
    };
  }
  return {
    code: name,
    message,
    advice: "This is not an error that the page knows. Reload it; what was durable is kept.",
  };
}
