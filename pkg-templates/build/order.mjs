// The order of the functions in a module. A compressor finds what is alike when it is near, so that functions that are alike
// come one after the other.

/** A function with an index below this is called with one byte less: those that are called most stay there. */
const SHORT_INDEX = 128;
/** How many bytes in a row have to be the same. */
const LENGTH = 4;

function sequences(body) {
  const found = new Set();
  for (let offset = 0; offset + LENGTH <= body.length; offset++) found.add(body.readUInt32LE(offset));
  return found;
}

/** How much of two functions is alike, for what they are long. */
function likeness(a, b) {
  const [less, more] = a.size < b.size ? [a, b] : [b, a];
  let common = 0;
  for (const sequence of less) if (more.has(sequence)) common++;
  return common / Math.sqrt((a.size + 8) * (b.size + 8));
}

/** Begins with the longest, and goes on with what is most like the one before. */
function chain(functions) {
  const left = new Set(functions);
  const ordered = [];
  let next = functions.reduce((a, b) => (b.sequences.size > a.sequences.size ? b : a));
  while (next !== undefined) {
    left.delete(next);
    ordered.push(next);
    const last = next.sequences;
    let most = -1;
    next = undefined;
    for (const other of left) {
      const found = likeness(last, other.sequences);
      if (found > most) [most, next] = [found, other];
    }
  }
  return ordered;
}

/** Names the functions of a module so that sorting them by name brings those together that are alike. */
export function nameByLikeness(module) {
  const functions = [];
  module.mapCode((index, body) => {
    functions.push({ index, sequences: sequences(Buffer.from(body)) });
    return body;
  });
  const often = functions.filter(({ index }) => index < SHORT_INDEX);
  const seldom = functions.filter(({ index }) => index >= SHORT_INDEX);
  const ordered = [...chain(often), ...chain(seldom)];
  const places = ordered.map(({ index }, place) => [index, String(place).padStart(6, "0")]);
  module.setFunctionNames(new Map(places.sort(([a], [b]) => a - b)));
}
