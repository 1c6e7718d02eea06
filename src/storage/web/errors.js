// Errors whose kind can be told by their `code`, and their way between a worker and a page.

/**
 * @param {string} code
 * @param {string} message
 * @param {unknown} [cause]
 * @returns {Error & { code: string }}
 */
export function coded(code, message, cause) {
  return Object.assign(new Error(message, cause === undefined ? {} : { cause }), { code });
}

/** @param {unknown} error */
export function codeOf(error) {
  return /** @type {{ code?: unknown } | undefined} */ (error)?.code;
}

/** @param {unknown} error */
export function nameOf(error) {
  return error instanceof Error || error instanceof DOMException ? error.name : "";
}

/**
 * What a platform lacks, or withholds. The code `UNAVAILABLE` says that another storage may be tried.
 * @param {string} message
 * @param {unknown} [cause]
 */
export function unavailable(message, cause) {
  return coded("UNAVAILABLE", cause === undefined ? message : `${message}: ${cause}`, cause);
}

/**
 * A script of the package that did not come. It is not that the platform lacks something: no other storage may take the place.
 * @param {unknown} error
 * @returns {never}
 */
export function scriptMissing(error) {
  throw coded("SCRIPT", `a script of the package cannot be loaded: ${error}`, error);
}

/** @param {string} message */
export function readOnlyError(message) {
  return new DOMException(message, "NoModificationAllowedError");
}

/** @typedef {{ name: string, message: string, code: unknown, ofPlatform: boolean }} Described */

/**
 * An error as a message can carry it in every browser.
 * @param {unknown} error
 * @returns {Described}
 */
export function describe(error) {
  const { name = "Error", message = String(error), code } = /** @type {Partial<Described>} */ (error ?? {});
  const ofPlatform = error instanceof DOMException;
  return { name, message, code: ofPlatform ? undefined : code, ofPlatform };
}

/**
 * The error that was described.
 * @param {Described} described
 * @returns {Error}
 */
export function revive({ name, message, code, ofPlatform }) {
  if (ofPlatform) return new DOMException(message, name);
  const error = Object.assign(new Error(message), { name });
  return code === undefined ? error : Object.assign(error, { code });
}
