/** JavaScript's own `Map`: no engine, but what the loops of the page and their checks take with next to nothing under them. */
import type { Entry, Peer, Store } from "../page/peer.js";

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

/** Strings of its own, as an engine gives them: comparing one with itself would take no time. */
function copy(text: string): string {
  return decoder.decode(encoder.encode(text));
}

class MapStore implements Store {
  readonly #map = new Map<string, string>();

  get(key: string): string | undefined {
    return this.#map.get(key);
  }

  getMany(keys: string[]): (string | undefined)[] {
    return keys.map((key) => this.#map.get(key));
  }

  async put(key: string, value: string): Promise<void> {
    this.#map.set(copy(key), copy(value));
  }

  async bulk(entries: Entry[]): Promise<void> {
    for (const [key, value] of entries) this.#map.set(copy(key), copy(value));
  }

  async close(): Promise<void> {
    // It ends with the page.
  }
}

export const peer: Peer = {
  async open() {
    return new MapStore();
  },
  async destroy() {
    // It ends with the page.
  },
};
