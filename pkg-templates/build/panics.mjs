// Takes out of the compiled engine what only panics use.
//
// A panic on wasm ends in the instruction `unreachable`. What it would say before that goes to a standard error that does
// not exist here, but the messages, the code that formats them, and the source positions would be a tenth of the download.
// The same goes for the trait Debug, which no other message uses: it prints nothing.

// No local variables, `unreachable`, end.
const TRAP = Uint8Array.of(0, 0x00, 0x0b);
// No local variables, `i32.const 0`, end: nothing was written, and that went well.
const SILENCE = Uint8Array.of(0, 0x41, 0, 0x0b);

const NEVER_RETURNS = [
  /core(\[\w+\])?::panicking::/,
  /core(\[\w+\])?::(option|result|cell)::(\w+::)*(unwrap_failed|expect_failed|panic_already_(mutably_)?borrowed)/,
  /core(\[\w+\])?::(slice|str)::(\w+::)*\w*_fail(_rt|_ct)?$/,
  /alloc(\[\w+\])?::(raw_vec::(capacity_overflow|handle_error)|alloc::handle_alloc_error)/,
  /std(\[\w+\])?::(panicking|thread::local)::\w*panic\w*/,
  /\brust_begin_unwind$/,
  /\bFallibility>?::(capacity_overflow|alloc_err)/,
  // Only Debug uses it, which prints nothing.
  /core(\[\w+\])?::fmt::builders::/,
  /\b(len_mismatch_fail|assert_failed|panic_advance|panic_does_not_fit|panic_access_error)$/,
];

const DEBUG = / as core(\[\w+\])?::fmt::Debug>::fmt(\.\d+|\[\d+\])?$/;
/** What the older way of mangling puts after a name. */
const HASH = /::h[0-9a-f]{16}$/;

function replacement(full = "") {
  const name = full.replace(HASH, "");
  if (NEVER_RETURNS.some((pattern) => pattern.test(name))) return TRAP;
  return DEBUG.test(name) ? SILENCE : undefined;
}

/** Whether a function of this name is taken out. */
export const isEmptied = (name) => replacement(name) !== undefined;

/** Takes them out of a module, as compiled and not optimized yet. */
export function removePanics(module) {
  const names = module.functionNames();
  if (names.size === 0) throw new Error("the functions of the module have no names, by which those that panic are known");
  module.mapCode((index, body) => replacement(names.get(index)) ?? body);
  for (const segment of module.data()) eraseLocations(segment);
}

/** A `Location` is four words: address and length of the path of a source file, line, column. Only panics have them. */
function eraseLocations({ address, bytes }) {
  const paths = [];
  for (let offset = 0; offset + 16 <= bytes.length; offset += 4) {
    const [path, length, line, column] = [0, 4, 8, 12].map((field) => bytes.readUInt32LE(offset + field));
    const start = path - address;
    const inside = start >= 0 && start + length <= bytes.length && length > 3 && length < 300;
    if (!inside || line === 0 || line > 50_000 || column === 0 || column > 500) continue;
    const text = bytes.subarray(start, start + length);
    if (!text.toString("latin1").endsWith(".rs")) continue;
    paths.push(text);
    bytes.fill(0, offset, offset + 16);
  }
  for (const path of paths) path.fill(0);
}
