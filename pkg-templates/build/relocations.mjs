// What the linker says of a module that was linked with `--emit-relocs`: its symbols, and which place in the code and in the
// data refers to which of them. The format: https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md

const SYMBOL_TABLE = 8;
const [FUNCTION, DATA, GLOBAL, SECTION, TAG, TABLE] = [0, 1, 2, 3, 4, 5];
const [UNDEFINED, NAMED] = [0x10, 0x40];

/** It refers to a type, and not to a symbol. */
const TYPE_INDEX = 6;
/** Relocations that add something to what they refer to. */
const WITH_ADDEND = new Set([3, 4, 5, 8, 9, 11, 14, 15, 16, 17, 21, 22, 23, 25]);

/** The sections that are of no use once they were read. */
export const LINKING = ["linking", "reloc.CODE", "reloc.DATA"];

/** The symbols: a function has `index`, data has `segment`, `offset` and `size`; others, and what is imported, have none. */
export function symbolsOf(module) {
  const reader = module.custom("linking");
  reader.number();
  while (!reader.ended) {
    const [kind, part] = [reader.byte(), reader.part()];
    if (kind === SYMBOL_TABLE) return Array.from({ length: part.number() }, () => symbol(part));
  }
  throw new Error("the module has no symbols");
}

function symbol(reader) {
  const [kind, flags] = [reader.byte(), reader.number()];
  const isUndefined = (flags & UNDEFINED) !== 0;
  if ([FUNCTION, GLOBAL, TAG, TABLE].includes(kind)) {
    const index = reader.number();
    if (!isUndefined || (flags & NAMED) !== 0) reader.text();
    return kind === FUNCTION ? { index } : {};
  }
  if (kind === SECTION) {
    reader.number();
    return {};
  }
  if (kind !== DATA) throw new Error(`a symbol is of the unknown kind ${kind}`);
  reader.text();
  return isUndefined ? {} : { segment: reader.number(), offset: reader.number(), size: reader.number() };
}

/** The relocations of `CODE` or `DATA`: the offset in that section, and the index of a symbol, where it is one. */
export function relocationsOf(module, section) {
  const reader = module.custom(`reloc.${section}`);
  reader.number();
  const relocations = Array.from({ length: reader.number() }, () => {
    const [type, offset, index] = [reader.byte(), reader.number(), reader.number()];
    if (WITH_ADDEND.has(type)) reader.number();
    return { offset, symbol: type === TYPE_INDEX ? undefined : index };
  });
  if (!reader.ended) throw new Error(`the relocations of ${section} have something that is not known`);
  return relocations;
}
