/** The worker's end of the bridge. Calls run one after another, since every engine here has one connection. */
import type { Durability, Entry, MaybePromise } from "../page/peer.js";
import type { Call, Outcome } from "./rpc.js";

export interface WorkerEngine {
  open(name: string, durability: Durability): MaybePromise<void>;
  get(key: string): MaybePromise<string | undefined>;
  getMany(keys: string[]): MaybePromise<(string | undefined)[]>;
  range100(from: string): MaybePromise<Entry[]>;
  put(key: string, value: string): MaybePromise<void>;
  bulk(entries: Entry[]): MaybePromise<void>;
  deleteRange(from: string, to: string): MaybePromise<void>;
  wasmBytes(): number;
  close(): MaybePromise<void>;
  destroy(name: string): MaybePromise<void>;
  /** Called before the calls of a message are answered. */
  settle?(): void;
}

type Method = (...args: unknown[]) => MaybePromise<unknown>;

export function serve(engine: WorkerEngine): void {
  const methods = engine as unknown as Record<string, Method>;
  let last = Promise.resolve();
  self.onmessage = ({ data }: MessageEvent<Call[]>) => {
    last = last.then(() => answer(engine, methods, data));
  };
}

async function answer(engine: WorkerEngine, methods: Record<string, Method>, calls: Call[]): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const [method, ...args] of calls) {
    try {
      const value = (methods[method] as Method)(...args);
      // Waiting for what is no promise would cost the synchronous engines a turn for each call.
      outcomes.push({ value: value instanceof Promise ? await value : value });
    } catch (error) {
      outcomes.push({ error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
    }
  }
  engine.settle?.();
  self.postMessage(outcomes);
}
