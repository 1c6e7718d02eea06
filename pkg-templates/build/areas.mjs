// What of the engine a page downloads, by the part of the program: where the bytes are, and what leaving one out would save.
//
// Counted are the functions before wasm-opt, which no longer have names after it, so that the shares count and not the
// bytes. Data has no names either.

/** The first path in a function's name: the crate, with its number, and the part of it. */
const PATH = /([a-z]\w*)(?:\[\w+\])?::(\w+)/;

function areaOf(name) {
  const [, crate, part] = name?.match(PATH) ?? [];
  return crate === "selkie" ? `selkie::${part}` : (crate ?? "exports and glue");
}

/** Prints how many bytes the functions of each part have, but for those that are loaded later. */
export function printAreas(module, later) {
  const names = module.functionNames();
  const sizes = new Map();
  for (const { index, start, end } of module.functions()) {
    if (later.has(index)) continue;
    const area = areaOf(names.get(index));
    sizes.set(area, (sizes.get(area) ?? 0) + end - start);
  }
  const all = [...sizes.values()].reduce((sum, bytes) => sum + bytes);
  for (const [area, bytes] of [...sizes].sort(([, one], [, other]) => other - one)) {
    if (bytes * 100 >= all) console.log(`  ${area.padEnd(22)}${(bytes / 1000).toFixed(1).padStart(7)} kB ${((100 * bytes) / all).toFixed(1).padStart(5)} %`);
  }
}
