// Waiting for what another script still holds: a tab that is closing keeps its files for some milliseconds.

import { coded, nameOf } from "./errors.js";

const FIRST_PAUSE_MS = 1;
/** With each pause twice as long as the one before: two seconds in all. */
const PAUSES = 11;

/**
 * Tries again while the file is held elsewhere.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} attempt
 * @returns {Promise<T>}
 */
export async function patiently(name, attempt) {
  for (let pause = 0; ; pause++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isHeld(error)) throw error;
      if (pause === PAUSES) throw coded("LOCKED", `the file ${JSON.stringify(name)} is held by another tab`, error);
    }
    await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS << pause));
  }
}

/**
 * WebKit says that the state is invalid.
 * @param {unknown} error
 */
export function isHeld(error) {
  return ["NoModificationAllowedError", "InvalidStateError"].includes(nameOf(error));
}
