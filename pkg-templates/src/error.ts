/** The one error class, and how the engine's errors become it. */

import type { ErrorCode, Version } from "./types.js";

export interface ErrorDetails {
  readonly key?: Uint8Array;
  readonly keyspace?: string;
  readonly file?: string;
  readonly offset?: number;
  readonly operation?: string;
  readonly version?: Version;
  readonly cause?: unknown;
}

/** What went wrong, with a stable `code` and the details that name the cause. */
export class SelkieError extends Error {
  override readonly name = "SelkieError";
  readonly code: ErrorCode;
  /** The key that was in conflict. */
  readonly key?: Uint8Array;
  readonly keyspace?: string;
  /** The file that failed or is damaged, and where. */
  readonly file?: string;
  readonly offset?: number;
  readonly operation?: string;
  /** The commit in conflict; the version that is no longer kept; the version after which to go on. */
  readonly version?: Version;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    const { cause, ...rest } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    Object.assign(this, rest);
  }
}

export function invalid(message: string): SelkieError {
  return new SelkieError("INVALID_ARGUMENT", message);
}

export function isConflict(error: unknown): error is SelkieError {
  return error instanceof SelkieError && error.code === "CONFLICT";
}

/** What the hosts themselves say (src/storage/web/errors.js). */
const OWN: readonly ErrorCode[] = ["LOCKED", "UNAVAILABLE", "INVALID_ARGUMENT", "EXISTS", "NOT_FOUND"];

/** What a platform's own error comes to: quota and abort have codes of their own. */
export function fromPlatform(error: unknown, fallback: ErrorCode): SelkieError {
  if (error instanceof SelkieError) return error;
  const { name, code, message } = (error ?? {}) as { name?: string; code?: unknown; message?: string };
  const text = message ?? String(error);
  if (OWN.includes(code as ErrorCode)) return new SelkieError(code as ErrorCode, text, { cause: error });
  if (code === "SCRIPT") return new SelkieError("UNAVAILABLE", text, { cause: error });
  if (name === "QuotaExceededError" || code === "ENOSPC") return new SelkieError("QUOTA", text, { cause: error });
  if (name === "AbortError") return new SelkieError("ABORTED", text, { cause: error });
  if (name === "NotFoundError" || code === "ENOENT") return new SelkieError("NOT_FOUND", text, { cause: error });
  return new SelkieError(fallback, text, { cause: error });
}

/** Whether a platform does not have what was asked for, so that another may be tried: not a script that did not come. */
export function isLacking(error: SelkieError): boolean {
  return error.code === "UNAVAILABLE" && (error.cause as { code?: unknown } | undefined)?.code !== "SCRIPT";
}

/** Throws if a signal has ended what it is for. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (typeof signal?.aborted !== "boolean") throw invalid("signal is an AbortSignal");
  if (signal.aborted) throw new SelkieError("ABORTED", "the signal ended it", { cause: signal.reason });
}

/** Reports like an error that nobody caught, where nobody waits for an answer. */
export function reportError(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
