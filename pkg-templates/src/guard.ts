/**
 * Keeps an engine from being used once a call of it was torn off in the middle.
 *
 * A browser may stop a script anywhere and still run the page's other tasks, as Firefox does while a page is left; an
 * engine that runs out of memory or stack traps. Either leaves half done what it was at, and nothing that it would read or
 * write from then on can be trusted. So each call notes that it is under way, and one that finds another under way, where
 * none can be, is refused: with `LOST`, for good. What is in the storage by then are whole commits.
 */

import { SelkieError } from "./error.js";

type Call = (...given: unknown[]) => unknown;

/** Which functions are not called to begin something, as the build knows them from the glue. */
export interface Kinds {
  /** What the glue calls in the course of another call. */
  readonly helpers: readonly string[];
  /** What the event loop and the garbage collector call, where nobody would catch an error. */
  readonly unattended: readonly string[];
}

let isInside = false;
let torn: SelkieError | undefined;
const pending = new Set<(error: SelkieError) => void>();
const owners = new Set<WeakRef<{ lose(cause: unknown): void }>>();

/** Whether it was noticed that the engine is of no use any more. */
export function isTorn(): boolean {
  return torn !== undefined;
}

/** Has an owner of a database hear when the engine is torn, as long as it lives. */
export function tellWhenTorn(owner: { lose(cause: unknown): void }): void {
  for (const other of owners) if (!other.deref()) owners.delete(other);
  owners.add(new WeakRef(owner));
}

/** The exports of an engine, each of which is refused after one was torn. */
export function guarded(exports: WebAssembly.Exports, { helpers, unattended }: Kinds): WebAssembly.Exports {
  const guard = (name: string, call: Call): Call => {
    if (helpers.includes(name)) return helper(call);
    return unattended.includes(name) ? quiet(call) : entry(call);
  };
  const each = Object.entries(exports).map(([name, value]) => {
    return [name, typeof value === "function" ? guard(name, value as Call) : value];
  });
  return Object.fromEntries(each) as WebAssembly.Exports;
}

function entry(call: Call): Call {
  return (...given) => {
    if (isInside) throw tear(undefined);
    return run(call, given);
  };
}

/** Whom it concerns is told by `tear`. */
function quiet(call: Call): Call {
  const attended = entry(call);
  return (...given) => {
    try {
      return attended(...given);
    } catch {
      // The glue looks for an error in the answer.
      return [];
    }
  };
}

/** Within another call its own end is not that of the other. Of a torn engine nobody needs its answer. */
function helper(call: Call): Call {
  return (...given) => {
    if (torn) return undefined;
    const wasInside = isInside;
    const result = run(call, given);
    isInside = wasInside;
    return result;
  };
}

function run(call: Call, given: unknown[]): unknown {
  isInside = true;
  let result;
  try {
    result = call(...given);
  } catch (error) {
    throw tear(error);
  }
  isInside = false;
  return result instanceof Promise ? untilTorn(result) : result;
}

/** What the engine has promised, or the error that it will never come. */
function untilTorn(promise: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    pending.add(reject);
    const settled = () => pending.delete(reject);
    promise.then(
      (value) => settled() && resolve(value),
      (error: unknown) => settled() && reject(error),
    );
  });
}

function tear(cause: unknown): SelkieError {
  if (torn) return torn;
  const reason = cause === undefined ? "was stopped" : `failed (${cause instanceof Error ? cause.message : String(cause)})`;
  const message = `the engine ${reason} in the middle of a call; it takes a new page, or a new process, to go on`;
  torn = new SelkieError("LOST", message, cause === undefined ? {} : { cause });
  for (const reject of pending) reject(torn);
  pending.clear();
  for (const owner of owners) owner.deref()?.lose(torn);
  return torn;
}
