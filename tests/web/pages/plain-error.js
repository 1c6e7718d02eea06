const FIELDS = ["name", "code", "message", "file", "offset", "operation", "keyspace", "version"];

/** An error as a plain object, with the errors that caused it. */
export function plainError(/** @type {any} */ error) {
  if (!(error instanceof Error)) return { message: String(error) };
  const described = Object.fromEntries(FIELDS.filter((name) => error[name] !== undefined).map((name) => [name, error[name]]));
  if (error.cause !== undefined) described.cause = plainError(error.cause);
  return described;
}
