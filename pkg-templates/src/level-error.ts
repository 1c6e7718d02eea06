/** Errors of the adapter: with the codes that the Level ecosystem has for them, and Selkie's error as the cause. */

import type { ErrorCode } from "selkie";

/** Where Level has a name of its own. Of the others the code is Selkie's, after `LEVEL_`. */
const CODES: Partial<Record<ErrorCode, string>> = {
  CORRUPTED: "LEVEL_CORRUPTION",
  IO: "LEVEL_IO_ERROR",
  READ_ONLY: "LEVEL_READONLY",
  CLOSED: "LEVEL_DATABASE_NOT_OPEN",
};

export class LevelError extends Error {
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "LevelError";
    this.code = code;
  }
}

/** What reading throws when a signal ended it: the name is the web's, the code Level's. */
export function aborted(): LevelError {
  const error = new LevelError("LEVEL_ABORTED", "Operation has been aborted");
  error.name = "AbortError";
  return error;
}

/** Runs a call to Selkie. */
export function translate<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw leveled(error);
  }
}

/** Awaits a call to Selkie. */
export async function settle<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw leveled(error);
  }
}

function leveled(error: unknown): unknown {
  // Not by instanceof: a page that bundles `selkie` twice has two such classes.
  if (!(error instanceof Error) || error.name !== "SelkieError") return error;
  const { code } = error as Error & { code: ErrorCode };
  return new LevelError(CODES[code] ?? `LEVEL_${code}`, error.message, error);
}
