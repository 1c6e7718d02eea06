// Divides the compiled engine in two modules: what every page needs, and what is loaded when it is asked for (src/linking.ts).
//
// The second module has no memory, table, or data of its own. It imports those of the first, and the functions of the first
// that it calls, from a module that it names `base`; its own functions take the places in the table that they had when both
// were one. The two only fit if they are of one build, which the name of an import tells: that of the stack pointer.
//
// It is done in the text format, in which everything has a name, and a field of the module begins in a line of its own.

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { target, tool } from "./places.mjs";

const BASE = "base";
const TRAP = "$trap";
/** Functions up to this length are in both modules: what an export takes, and what it keeps from being inlined, is more. */
const COPIED_BYTES = 100;

/** The fields of a module in the text format: kind, name, and text. */
function fieldsOf(text) {
  const fields = [];
  for (const line of text.split("\n").slice(1)) {
    const begin = /^ \((\w+)/.exec(line);
    if (begin) fields.push({ kind: begin[1], name: /^ \(\w+ (\$[^\s()]+)/.exec(line)?.[1], lines: [line] });
    else if (line.startsWith("  ") || line === " )") fields.at(-1).lines.push(line);
    else if (line !== ")" && line !== "" && !line.startsWith(" ;;")) throw new Error(`the text of the module has an unknown line: ${line}`);
  }
  return fields;
}

const join = (fields) => `(module\n${fields.flatMap(({ lines }) => lines).join("\n")}\n)\n`;

/** Functions, globals, tables and so on have names apart from each other. */
const keyOf = ({ kind, name }) => `${kind} ${name}`;

const field = (kind, text) => ({ kind, lines: [` ${text}`] });

/** Names every function by its number, those that are to come later with another letter. */
function nameFunctions(module, later) {
  const count = module.importCount() + module.functions().length;
  const names = Array.from({ length: count }, (_, index) => [index, `${later.has(index) ? "later" : "base"}${index}`]);
  module.setFunctionNames(new Map(names));
}

const sizesOf = (module) => new Map(module.functions().map(({ index, start, end }) => [`$base${index}`, end - start]));

const isLaterName = (name) => name.startsWith("$later");

/** Which functions of the first one the second has as well, since they are small, and which of them it calls. */
function calledBy(fields, sizes) {
  const functions = new Map(fields.filter(({ kind }) => kind === "func").map((each) => [each.name, each]));
  const [copied, called] = [new Set(), new Set()];
  const left = [...functions.keys()].filter(isLaterName);
  while (left.length > 0) {
    for (const line of functions.get(left.pop()).lines) {
      for (const [, callee] of line.matchAll(/\(call (\$base\d+)/g)) {
        // What is imported has no body, and is imported by both.
        if (!functions.has(callee) || copied.has(callee)) continue;
        if (sizes.get(callee) > COPIED_BYTES) {
          called.add(callee);
        } else {
          copied.add(callee);
          left.push(callee);
        }
      }
    }
  }
  return { copied, called };
}

/** What both share, and the name under which the first one exports it. The only global that changes is the stack pointer. */
function sharedBy(fields, called, stamp) {
  const isStackPointer = ({ kind, lines }) => kind === "global" && lines[0].includes("(mut ");
  if (fields.filter(isStackPointer).length !== 1) throw new Error("one global of the module is expected to change");
  const shared = new Map();
  for (const each of fields) {
    const { kind, name } = each;
    if (isStackPointer(each)) shared.set(keyOf(each), stamp);
    else if (kind === "memory" || kind === "table" || (kind === "func" && called.has(name))) shared.set(keyOf(each), shared.size.toString(36));
  }
  return shared;
}

/** The kind and type of a field, as an import of it says it. */
function importOf(each, shared) {
  const { kind, name, lines } = each;
  const [line] = lines;
  const rest = line.slice(` (${kind} ${name}`.length);
  // Of a function its first line has the type and is not the end of it.
  const type = kind === "global" ? /\(mut \w+\)/.exec(rest)[0] : kind === "func" ? rest : rest.slice(0, -1);
  return field("import", `(import "${BASE}" "${shared.get(keyOf(each))}" (${kind} ${name} ${type}))`);
}

/** Which functions are where in a table. */
function elementsOf({ lines: [line] }) {
  const [, table, first, functions] = /^ \(elem \S+ (?:\(table (\S+)\) )?\(i32\.const (\d+)\)(?: func)?((?: \S+)+)\)$/.exec(line) ?? [];
  if (functions === undefined) throw new Error("the elements of a table are written in an unknown way");
  return { table: table ?? "$0", first: Number(first), functions: functions.trim().split(" ") };
}

function baseFields(fields, shared) {
  const base = fields.flatMap((each) => {
    if (each.kind === "func" && isLaterName(each.name)) return [];
    if (each.kind === "export" && /\(func \$later/.test(each.lines[0])) return [];
    if (each.kind === "elem") return [{ ...each, lines: each.lines.map((line) => line.replace(/\$later\d+/g, TRAP)) }];
    return [each];
  });
  const exports = Array.from(shared, ([key, name]) => field("export", `(export "${name}" (${key}))`));
  return [...base, ...exports, field("func", `(func ${TRAP} (unreachable))`)];
}

function laterFields(fields, shared, copied) {
  const later = fields.flatMap((each) => {
    const { kind, name, lines } = each;
    if (shared.has(keyOf(each))) return [];
    if (kind === "data" || (kind === "func" && !isLaterName(name) && !copied.has(name))) return [];
    if (kind === "export") return /\(func \$later/.test(lines[0]) ? [each] : [];
    if (kind !== "elem") return [each];
    const { table, first, functions } = elementsOf(each);
    return functions.flatMap((name, place) => {
      return isLaterName(name) ? [field("elem", `(elem (table ${table}) (i32.const ${first + place}) func ${name})`)] : [];
    });
  });
  const imports = fields.filter((each) => shared.has(keyOf(each))).map((each) => importOf(each, shared));
  const [types, others] = [later.filter(({ kind }) => kind === "type"), later.filter(({ kind }) => kind !== "type")];
  return [...types, ...imports, ...others];
}

/** Divides a module, of which `later` are the functions that the second one has. Returns the paths of the two. */
export async function split(module, { later, features }) {
  nameFunctions(module, later);
  const place = (name) => path.join(target, name);
  await writeFile(place("whole.wasm"), module.bytes());
  await tool("wasm-dis", [...features, place("whole.wasm"), "-o", place("whole.wat")]);
  const fields = fieldsOf(await readFile(place("whole.wat"), "utf8"));
  const { copied, called } = calledBy(fields, sizesOf(module));
  const stamp = createHash("sha256").update(module.bytes()).update([...called].join()).digest("base64url").slice(0, 8);
  const shared = sharedBy(fields, called, stamp);
  const parts = { base: baseFields(fields, shared), later: laterFields(fields, shared, copied) };
  for (const [name, part] of Object.entries(parts)) {
    await writeFile(place(`${name}.wat`), join(part));
    await tool("wasm-as", [...features, place(`${name}.wat`), "-o", place(`${name}.wasm`)]);
  }
  return [place("base.wasm"), place("later.wasm")];
}
