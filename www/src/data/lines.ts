/** The data set as it arrives: compressed bytes become lines, as many at a time as a piece of the network's brings. */

export async function* download(address: string, signal: AbortSignal): AsyncGenerator<string[]> {
  const response = await fetch(address, { signal });
  if (!response.ok || !response.body) throw new Error(`${address} was answered with ${response.status} ${response.statusText}`);
  const text = response.body.pipeThrough(new DecompressionStream("gzip")).pipeThrough(new TextDecoderStream());
  let rest = "";
  for (const reader = text.getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop() ?? "";
    yield parts;
  }
  if (rest) yield [rest];
}
