/** The thinnest bridge to an engine in a worker: the calls of one turn cross as one message, and so do their results. */
import type { Durability, Entry, Store } from "../page/peer.js";

export type Call = [method: string, ...args: unknown[]];
export type Outcome = { value: unknown } | { error: string };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

class Bridge {
  readonly #worker: Worker;
  #calls: Call[] = [];
  #callers: Waiting[] = [];
  /** Batches under way: they are answered in order. */
  readonly #batches: Waiting[][] = [];

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Outcome[]>) => this.#settle(data);
    worker.onerror = (event) => this.#fail(new Error(`the worker failed: ${event.message}`));
  }

  call<T>(...call: Call): Promise<T> {
    if (this.#calls.length === 0) {
      queueMicrotask(() => this.#send());
    }
    this.#calls.push(call);
    return new Promise((resolve, reject) => {
      this.#callers.push({ resolve: resolve as (value: unknown) => void, reject });
    });
  }

  terminate(): void {
    this.#worker.terminate();
  }

  #send(): void {
    this.#worker.postMessage(this.#calls);
    this.#batches.push(this.#callers);
    this.#calls = [];
    this.#callers = [];
  }

  #settle(outcomes: Outcome[]): void {
    const callers = this.#batches.shift() ?? [];
    callers.forEach((caller, at) => {
      const outcome = outcomes[at] as Outcome;
      "error" in outcome ? caller.reject(new Error(outcome.error)) : caller.resolve(outcome.value);
    });
  }

  #fail(error: Error): void {
    this.#batches.flat().forEach((caller) => caller.reject(error));
  }
}

/** A store behind the bridge. */
export async function openInWorker(worker: Worker, name: string, durability: Durability): Promise<Store> {
  const bridge = new Bridge(worker);
  await bridge.call("open", name, durability);
  return {
    get: (key) => bridge.call<string | undefined>("get", key),
    getMany: (keys) => bridge.call<(string | undefined)[]>("getMany", keys),
    range100: (from) => bridge.call<Entry[]>("range100", from),
    put: (key, value) => bridge.call("put", key, value),
    bulk: (entries) => bridge.call("bulk", entries),
    deleteRange: (from, to) => bridge.call("deleteRange", from, to),
    wasmBytes: () => bridge.call<number>("wasmBytes"),
    async close() {
      await bridge.call("close");
      bridge.terminate();
    },
  };
}

export async function destroyInWorker(worker: Worker, name: string): Promise<void> {
  const bridge = new Bridge(worker);
  await bridge.call("destroy", name);
  bridge.terminate();
}
