// Takes out what nothing refers to any more once the code of panics is gone (panics.mjs): functions in the table, and data.
//
// In a linked module an address is a number like any other, so that no later tool can tell which data is in use, nor which
// functions the tables of methods in that data name. The linker knows, and writes it down (relocations.mjs). Its output goes
// through wasm-bindgen, which numbers functions anew but keeps their names, if it is told to, and the addresses of data.

import { comesToCall } from "./arguments.mjs";
import { relocationsOf, symbolsOf } from "./relocations.mjs";

const TRAP = Uint8Array.of(0, 0x00, 0x0b);
/** What only wasm-bindgen calls, while it makes the glue. */
const DESCRIBES = /^__wbindgen_describe/;
/** What wasm-bindgen adds to the name of a function that it wraps. */
const WRAPPED = / (multivalue|externref) shim/g;

/** The functions and the data of a linked module, and what each refers to. */
class Program {
  constructor(linked, emptied) {
    this.imported = linked.importCount();
    this.functions = linked.functions().map(({ index, start, end }) => ({ index, start, end, symbols: [] }));
    const segments = linked.data();
    this.symbols = symbolsOf(linked).map((symbol) => {
      if (symbol.segment === undefined) return symbol;
      return { address: segments[symbol.segment].address + symbol.offset, size: symbol.size, symbols: [] };
    });
    this.data = this.symbols.filter(({ size }) => size > 0);
    const code = linked.code();
    const isUsed = ({ offset }) => !comesToCall(code, offset, (index) => emptied.has(index));
    attach(relocationsOf(linked, "CODE").filter(isUsed), this.functions);
    const places = segments.map(({ address, start }) => ({ address, start }));
    const inSection = (data) => {
      const { address, start } = places.findLast((place) => place.address <= data.address);
      return { start: data.address - address + start, end: data.address - address + start + data.size, symbols: data.symbols };
    };
    attach(relocationsOf(linked, "DATA"), this.data.map(inSection));
  }

  /** Everything that can be reached from some functions, where emptied functions lead nowhere. */
  reachable(roots, emptied) {
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
      if (node.index !== undefined && emptied.has(node.index)) continue;
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

/**
 * Empties the functions and erases the data that nothing reaches. `linked` is what the linker wrote, `module` what
 * wasm-bindgen made of it, and `mangled` the same with the names that functions have in `linked`.
 */
export function removeUnreachable(module, { linked, mangled, isEmptied }) {
  if (linked.hasStart()) throw new Error("the linker does not tell what its start function calls");
  if (module.importCount() !== mangled.importCount() || module.functions().length !== mangled.functions().length) {
    throw new Error("wasm-bindgen does not number functions alike with and without --no-demangle");
  }
  const indices = new Map();
  for (const [index, name] of linked.functionNames()) indices.set(name, [...(indices.get(name) ?? []), index]);
  const readable = module.functionNames();
  const emptied = new Set();
  const before = new Map();
  for (const [index, name] of mangled.functionNames()) {
    const found = indices.get(name.replace(WRAPPED, "")) ?? [];
    before.set(index, found);
    if (isEmptied(readable.get(index))) found.forEach((other) => emptied.add(other));
  }
  const program = new Program(linked, emptied);
  const isRoot = ({ name }) => !DESCRIBES.test(name);
  const roots = linked.exports().filter(isRoot).map(({ index }) => index);
  const exported = mangled.exports().filter(({ name }) => name.includes("closures"));
  const closures = exported.map(({ index }) => before.get(index) ?? []);
  if (closures.length === 0 || closures.some((found) => found.length === 0)) throw new Error("the linker knows no closures that are exported");
  const reached = program.reachable([...roots, ...closures.flat()], emptied);
  const isReached = (index) => index < program.imported || reached.has(program.functions[index - program.imported]);
  module.mapCode((index, body) => {
    const found = before.get(index) ?? [];
    return found.length === 0 || found.some(isReached) ? body : TRAP;
  });
  eraseData(module, program.data, reached);
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
