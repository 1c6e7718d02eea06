/** The data set as it arrives: compressed bytes become lines, as many at a time as a small piece brings. */

/** Browsers decompress a piece in one task of the main thread, however large the network made it. */
const PIECE_BYTES = 16 * 1024;

export async function* download(address: string, signal: AbortSignal): AsyncGenerator<string[]> {
  const response = await fetch(address, { signal });
  if (!response.ok || !response.body)
    throw new Error(`${address} was answered with ${response.status} ${response.statusText}`);
  const text = response.body
    .pipeThrough(pieces())
    .pipeThrough(new DecompressionStream("gzip"))
    .pipeThrough(new TextDecoderStream());
  let rest = "";
  for (const reader = text.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop() ?? "";
    yield parts;
  }
  if (rest) yield [rest];
}

function pieces(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  return new TransformStream({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) controller.enqueue(chunk.subarray(at, at + PIECE_BYTES));
    },
  });
}
