/**
 * A `Map` from keys to places in one array of bytes: no engine, but what reading takes where values are not JavaScript's own
 * strings, as in the memory of a compiled engine, and have to be made of bytes.
 */
import type { Entry, Peer, Store } from "../page/peer.js";

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

class BytesStore implements Store {
  readonly #places = new Map<string, [at: number, length: number]>();
  #bytes = new Uint8Array(1 << 16);
  #end = 0;

  get(key: string): string | undefined {
    const place = this.#places.get(key);
    return place && decoder.decode(this.#bytes.subarray(place[0], place[0] + place[1]));
  }

  getMany(keys: string[]): (string | undefined)[] {
    return keys.map((key) => this.get(key));
  }

  async put(key: string, value: string): Promise<void> {
    this.#write(key, value);
  }

  async bulk(entries: Entry[]): Promise<void> {
    for (const [key, value] of entries) this.#write(key, value);
  }

  async close(): Promise<void> {
    // It ends with the page.
  }

  /** Over the value before, where there is room: all values of a run are of one length. */
  #write(key: string, value: string): void {
    const bytes = encoder.encode(value);
    const before = this.#places.get(key);
    const at = before && before[1] >= bytes.length ? before[0] : this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    this.#places.set(key, [at, bytes.length]);
  }

  #room(length: number): number {
    const at = this.#end;
    this.#end += length;
    if (this.#end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#end, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return at;
  }
}

export const peer: Peer = {
  async open() {
    return new BytesStore();
  },
  async destroy() {
    // It ends with the page.
  },
};
