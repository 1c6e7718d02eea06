// Reads the sections of a wasm module, and writes them again.

const NAMES = "name";
const FUNCTION_NAMES = 1;
const [FUNCTION, TABLE, GLOBAL] = [0, 1, 3];
const [CUSTOM, IMPORT, EXPORT, START, CODE, DATA] = [0, 2, 7, 8, 10, 11];

/** A place in some bytes that goes on with each read. */
class Reader {
  constructor(bytes, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
  }

  byte() {
    return this.bytes[this.offset++];
  }

  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  take(length) {
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  /** A part that begins with its length, to be read on its own. */
  part() {
    return new Reader(this.take(this.number()));
  }

  text() {
    return new TextDecoder().decode(this.take(this.number()));
  }

  get ended() {
    return this.offset >= this.bytes.length;
  }
}

function number(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Uint8Array.from([...bytes, value]);
}

const list = (items) => Buffer.concat([number(items.length), ...items]);

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

function skipImport(reader, kind) {
  // A table has the type of its elements before its limits.
  if (kind === TABLE) reader.byte();
  if (kind === FUNCTION) reader.number();
  else if (kind === GLOBAL) reader.take(2);
  else for (let limits = reader.byte() & 1 ? 2 : 1; limits > 0; limits--) reader.number();
}

export class Module {
  constructor(bytes) {
    this.head = bytes.subarray(0, 8);
    this.sections = [];
    for (const reader = new Reader(bytes, 8); !reader.ended; ) {
      this.sections.push({ id: reader.byte(), content: reader.take(reader.number()) });
    }
  }

  bytes() {
    const sections = this.sections.flatMap(({ id, content }) => [Uint8Array.of(id), number(content.length), content]);
    return Buffer.concat([this.head, ...sections]);
  }

  /** What comes after the name in a custom section. */
  custom(name) {
    for (const { id, content } of this.sections) {
      const reader = new Reader(content);
      if (id === CUSTOM && reader.text() === name) return reader;
    }
    throw new Error(`the module has no section ${name}`);
  }

  removeCustom(names) {
    this.sections = this.sections.filter(({ id, content }) => id !== CUSTOM || !names.includes(new Reader(content).text()));
  }

  #section(id) {
    return this.sections.find((section) => section.id === id);
  }

  /** The names of functions by their index. */
  functionNames() {
    const names = new Map();
    for (const { id, content } of this.sections) {
      const reader = new Reader(content);
      if (id !== CUSTOM || reader.text() !== NAMES) continue;
      while (!reader.ended) {
        const [kind, part] = [reader.byte(), new Reader(reader.take(reader.number()))];
        if (kind !== FUNCTION_NAMES) continue;
        for (let count = part.number(); count > 0; count--) names.set(part.number(), part.text());
      }
    }
    return names;
  }

  /** Gives functions names in place of those they have, by their index in its order. */
  setFunctionNames(names) {
    const entries = [...names].map(([index, name]) => Buffer.concat([number(index), text(name)]));
    const part = list(entries);
    const content = Buffer.concat([text(NAMES), Uint8Array.of(FUNCTION_NAMES), number(part.length), part]);
    this.removeCustom([NAMES]);
    this.sections.push({ id: CUSTOM, content });
  }

  /** What is imported: `description` is its type, as it is written. */
  #imports() {
    const reader = new Reader(this.#section(IMPORT).content);
    return Array.from({ length: reader.number() }, () => {
      const [module, name, kind] = [reader.text(), reader.text(), reader.byte()];
      const start = reader.offset;
      skipImport(reader, kind);
      return { module, name, kind, description: reader.bytes.subarray(start, reader.offset) };
    });
  }

  hasStart() {
    return this.#section(START) !== undefined;
  }

  /** How many functions are imported: the first ones in the numbering of functions. */
  importCount() {
    return this.#imports().filter(({ kind }) => kind === FUNCTION).length;
  }

  /** The functions that are exported, by name and index. */
  exports() {
    const reader = new Reader(this.#section(EXPORT).content);
    const exports = Array.from({ length: reader.number() }, () => ({ name: reader.text(), kind: reader.byte(), index: reader.number() }));
    return exports.filter(({ kind }) => kind === FUNCTION);
  }

  /** Gives what is imported other names. */
  renameImports(renameModule, rename) {
    const imports = this.#imports().map(({ module, name, kind, description }) => {
      return Buffer.concat([text(renameModule(module)), text(rename(name)), Uint8Array.of(kind), description]);
    });
    this.#section(IMPORT).content = list(imports);
  }

  /** Gives what is exported other names. */
  renameExports(rename) {
    const reader = new Reader(this.#section(EXPORT).content);
    const exports = Array.from({ length: reader.number() }, () => {
      const [name, kind, index] = [reader.text(), reader.byte(), reader.number()];
      return Buffer.concat([text(rename(name)), Uint8Array.of(kind), number(index)]);
    });
    this.#section(EXPORT).content = list(exports);
  }

  /** The section of the functions. */
  code() {
    return this.#section(CODE).content;
  }

  /** Where in their section the functions are. */
  functions() {
    const reader = new Reader(this.#section(CODE).content);
    const first = this.importCount();
    return Array.from({ length: reader.number() }, (_, place) => {
      const length = reader.number();
      const start = reader.offset;
      reader.take(length);
      return { index: first + place, start, end: start + length };
    });
  }

  /** Lets `replace(index, body)` return other code for each function. */
  mapCode(replace) {
    const section = this.#section(CODE);
    const reader = new Reader(section.content);
    const first = this.importCount();
    const bodies = Array.from({ length: reader.number() }, (_, place) => replace(first + place, reader.take(reader.number())));
    section.content = list(bodies.map((body) => Buffer.concat([number(body.length), body])));
  }

  /** The segments of data, which can be changed in place: where in memory and in their section each lies, and its bytes. */
  data() {
    const reader = new Reader(this.#section(DATA).content);
    return Array.from({ length: reader.number() }, () => {
      if (reader.number() !== 0 || reader.byte() !== 0x41) throw new Error("a segment of data is expected to have a constant address");
      const address = reader.number();
      reader.byte();
      const length = reader.number();
      return { address, start: reader.offset, bytes: reader.take(length) };
    });
  }
}
