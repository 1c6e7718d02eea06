/**
 * JSON, with an error where JSON would lose or change something: what is stored is what is read. Objects keep their own
 * enumerable properties, as by structuredClone; getters are stored as the value they gave.
 *
 * The check runs beside the native JSON.stringify on every write. It allocates nothing while it finds no fault, and
 * collects the path to a fault on its way back.
 */

import { describe } from "./encoding-binary.js";
import type { TextCodec } from "./encoding.js";
import { decodeUtf8 } from "./encoding-utf8.js";
import { SelkieError } from "./error.js";

/** What JSON cannot carry, and the path to it, innermost step first. */
interface Fault {
  readonly what: string;
  readonly path: (string | number)[];
}

export const json: TextCodec<unknown> = {
  name: "json",
  text: true,
  encode(value) {
    let found: Fault | undefined;
    try {
      // At a cycle this runs out of stack, which costs nothing where there is none.
      found = check(value, undefined);
      if (found === undefined) return JSON.stringify(value);
    } catch (error) {
      throw explain(value, error);
    }
    throw refusal(found);
  },
  decodeText(text) {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new SelkieError("ENCODING", "the text is not JSON: stored with another encoding?", { cause });
    }
  },
  decode(bytes) {
    return this.decodeText(decodeUtf8(bytes));
  },
};

/** Looks for a fault. `above` are the objects around this one, where cycles are looked for. */
function check(value: unknown, above: object[] | undefined): Fault | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? undefined : fault(value);
    case "object":
      return value === null ? undefined : checkObject(value, above);
    default:
      return fault(value);
  }
}

function checkObject(value: object, above: object[] | undefined): Fault | undefined {
  if (above !== undefined) {
    if (above.includes(value)) return { what: "an object that contains itself", path: [] };
    above = [...above, value];
  }
  const array = Array.isArray(value);
  if (array ? !isPlainArray(value) : !isPlainObject(value)) return fault(value);
  if (Object.getOwnPropertySymbols(value).length > 0) return { what: "an object with a symbol for a key", path: [] };
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return { what: "an object with toJSON", path: [] };
  return array ? checkArray(value, above) : checkProperties(value as Record<string, unknown>, above);
}

function checkArray(values: unknown[], above: object[] | undefined): Fault | undefined {
  for (let index = 0; index < values.length; index++) {
    const found = check(values[index], above);
    if (found !== undefined)
      return index in values ? step(found, index) : { what: "a hole in an array", path: [index] };
  }
  // Without holes the indexes are as many as the length, and whatever is more is a property.
  const keys = Object.keys(values);
  if (keys.length === values.length) return undefined;
  return { what: "a property of an array", path: [keys[values.length]!] };
}

function checkProperties(value: Record<string, unknown>, above: object[] | undefined): Fault | undefined {
  const keys = Object.keys(value);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    const found = check(value[key], above);
    if (found !== undefined) return step(found, key);
  }
  return undefined;
}

/** Whether an object comes from a literal, Object.create(null) or JSON.parse, in this realm or another. */
function isPlainObject(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return true;
  if (prototype === null) return !(JSON as { isRawJSON?: (value: object) => boolean }).isRawJSON?.(value);
  return isRootPrototype(prototype);
}

function isPlainArray(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) return true;
  return Array.isArray(prototype) && isRootPrototype(Object.getPrototypeOf(prototype));
}

function isRootPrototype(prototype: object | null): boolean {
  return prototype !== null && Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

function fault(value: unknown): Fault {
  return { what: describe(value), path: [] };
}

function step(found: Fault, key: string | number): Fault {
  found.path.push(key);
  return found;
}

/** What the check or JSON.stringify threw at: a cycle, too great a depth or length, or a property that throws. */
function explain(value: unknown, cause: unknown): SelkieError {
  try {
    const found = check(value, []);
    if (found !== undefined) return refusal(found, cause);
  } catch {
    // The same end again, and the first error says which.
  }
  return new SelkieError("ENCODING", `JSON cannot store the value: ${String(cause)}`, { cause });
}

function refusal({ what, path }: Fault, cause?: unknown): SelkieError {
  const place = path.reduceRight<string>((text, key) => text + pathStep(key), "value");
  const message = `JSON would lose or change ${what}, at ${place}`;
  return new SelkieError("ENCODING", message, cause === undefined ? undefined : { cause });
}

function pathStep(key: string | number): string {
  if (typeof key === "number") return `[${key}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
