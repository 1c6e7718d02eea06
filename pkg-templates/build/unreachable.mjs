// Which functions and data of the compiled engine something refers to, and from where.
//
// In a linked module an address is a number like any other, so that no later tool can tell which data is in use, nor which
// functions the tables of methods in that data name. The linker knows, and writes it down (relocations.mjs). Its output goes
// through wasm-bindgen, which numbers functions anew but keeps their names, if it is told to, and the addresses of data.

import { relocationsOf, symbolsOf } from "./relocations.mjs";

// No local variables, `unreachable`, end.
const TRAP = Uint8Array.of(0, 0x00, 0x0b);
// No local variables, `i32.const 0`, end: nothing was written, and that went well.
const SILENCE = Uint8Array.of(0, 0x41, 0, 0x0b);

/** What the trait Debug writes, which no message uses: it need not write anything. */
const DEBUG = / as core(\[\w+\])?::fmt::Debug>::fmt(\.\d+|\[\d+\])?$/;
/** What only wasm-bindgen calls, while it makes the glue. */
const DESCRIBES = /^__wbindgen_describe/;
/** What wasm-bindgen adds to the name of a function that it wraps. */
const WRAPPED = / (multivalue|externref) shim/g;
/** What it takes from the name of a function that is exported. */
const CRATE = /_[0-9a-f]{16}$/;

/** The functions and the data of a linked module, and what each refers to. */
class Program {
  constructor(linked) {
    this.imported = linked.importCount();
    this.functions = linked.functions().map(({ index, start, end }) => ({ index, start, end, symbols: [] }));
    const segments = linked.data();
    this.symbols = symbolsOf(linked).map((symbol) => {
      if (symbol.segment === undefined) return symbol;
      return { address: segments[symbol.segment].address + symbol.offset, size: symbol.size, symbols: [] };
    });
    this.data = this.symbols.filter(({ size }) => size > 0);
    attach(relocationsOf(linked, "CODE"), this.functions);
    const places = segments.map(({ address, start }) => ({ address, start }));
    const inSection = (data) => {
      const { address, start } = places.findLast((place) => place.address <= data.address);
      return { start: data.address - address + start, end: data.address - address + start + data.size, symbols: data.symbols };
    };
    attach(relocationsOf(linked, "DATA"), this.data.map(inSection));
  }

  /** Has functions lead nowhere. */
  empty(indices) {
    for (const index of indices) this.functions[index - this.imported].symbols = [];
  }

  /** Everything that can be reached from some functions. */
  reachable(roots) {
    const found = new Set();
    const left = [];
    const visit = (node) => {
      if (node === undefined || found.has(node)) return;
      found.add(node);
      left.push(node);
    };
    const visitFunction = (index) => visit(this.functions[index - this.imported]);
    roots.forEach(visitFunction);
    for (let node = left.pop(); node !== undefined; node = left.pop()) {
      for (const symbol of node.symbols) {
        const { index, symbols } = this.symbols[symbol];
        if (index !== undefined) visitFunction(index);
        else if (symbols !== undefined) visit(this.symbols[symbol]);
      }
    }
    return found;
  }
}

/** Gives each place the symbols that it refers to. Pieces of data may lie in one another. */
function attach(relocations, places) {
  const ordered = relocations.filter(({ symbol }) => symbol !== undefined).sort((a, b) => a.offset - b.offset);
  const attached = new Set();
  for (const { start, end, symbols } of places) {
    for (let at = firstFrom(ordered, start); ordered[at]?.offset < end; at++) {
      symbols.push(ordered[at].symbol);
      attached.add(ordered[at]);
    }
  }
  if (attached.size < ordered.length) throw new Error("the linker tells of references from what has no symbol");
}

function firstFrom(relocations, offset) {
  let [low, high] = [0, relocations.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (relocations[middle].offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By the index of a function in `mangled`, the functions that have its name in `linked`. */
function sameNames(linked, mangled) {
  const indices = new Map();
  for (const [index, full] of linked.functionNames()) {
    const name = full.replace(CRATE, "");
    indices.set(name, [...(indices.get(name) ?? []), index]);
  }
  const found = Array.from(mangled.functionNames(), ([index, name]) => [index, indices.get(name.replace(WRAPPED, "")) ?? []]);
  return new Map(found);
}

/** What is called from outside: of what Rust exports all that `isWanted`, and the closures that wasm-bindgen exports. */
function rootsOf({ linked, mangled, before, isWanted }) {
  const exported = linked.exports().filter(({ name }) => !DESCRIBES.test(name) && isWanted(name));
  const closures = mangled.exports().filter(({ name }) => name.includes("closures"));
  const found = closures.map(({ index }) => before.get(index) ?? []);
  if (found.length === 0 || found.some((same) => same.length === 0)) throw new Error("the linker knows no closures that are exported");
  return [...exported.map(({ index }) => index), ...found.flat()];
}

/**
 * Empties the functions and erases the data that nothing reaches, and tells which functions only exports that are wanted
 * later reach. `linked` is what the linker wrote, `module` what wasm-bindgen made of it, and `mangled` the same with the names
 * that functions have in `linked`.
 */
export function removeUnreachable(module, { linked, mangled, isLater }) {
  if (linked.hasStart()) throw new Error("the linker does not tell what its start function calls");
  if (module.importCount() !== mangled.importCount() || module.functions().length !== mangled.functions().length) {
    throw new Error("wasm-bindgen does not number functions alike with and without --no-demangle");
  }
  const before = sameNames(linked, mangled);
  const silent = new Set();
  for (const [index, name] of module.functionNames()) if (DEBUG.test(name)) silent.add(index);
  const program = new Program(linked);
  for (const index of silent) program.empty(before.get(index) ?? []);
  const reach = (isWanted) => program.reachable(rootsOf({ linked, mangled, before, isWanted }));
  const [reached, soon] = [reach(() => true), reach((name) => !isLater(name))];
  const isIn = (set) => (index) => index < program.imported || set.has(program.functions[index - program.imported]);
  const later = new Set();
  module.mapCode((index, body) => {
    const found = before.get(index) ?? [];
    if (silent.has(index)) return SILENCE;
    if (found.length === 0 || found.some(isIn(soon))) return body;
    if (!found.some(isIn(reached))) return TRAP;
    later.add(index);
    return body;
  });
  eraseData(module, program.data, reached);
  return later;
}

function eraseData(module, data, reached) {
  for (const { address, bytes } of module.data()) {
    const kept = new Uint8Array(bytes.length).fill(1);
    const mark = (value) => (piece) => {
      const start = piece.address - address;
      if (start + piece.size > 0) kept.fill(value, Math.max(0, start), Math.max(0, start + piece.size));
    };
    data.forEach(mark(0));
    data.filter((piece) => reached.has(piece)).forEach(mark(1));
    kept.forEach((isKept, at) => {
      if (!isKept) bytes[at] = 0;
    });
  }
}
