/** The promises of commits: kept in the order of the commits, each once its commit has reached its stage. */

import type { CoreDatabase } from "#core";
import type { Commit, Version } from "./types.js";

/** How far a commit has come, as the engine numbers it. */
export type Stage = 0 | 1 | 2;

interface Waiting {
  readonly version: Version;
  readonly resolve: (commit: Commit) => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait for one stage. One wait of the engine, for the first of them, serves all. */
class Queue {
  #waiting: Waiting[] = [];
  #first = 0;
  #armed = false;
  readonly #core: CoreDatabase;
  readonly #stage: Stage;
  readonly #onProgress: () => void;

  constructor(core: CoreDatabase, stage: Stage, onProgress: () => void) {
    this.#core = core;
    this.#stage = stage;
    this.#onProgress = onProgress;
  }

  reached(): Version {
    const core = this.#core;
    const stage = this.#stage === 0 ? Infinity : this.#stage === 1 ? core.written() : core.synced();
    return Math.min(core.published(), stage);
  }

  push(version: Version): Promise<Commit> {
    if (this.#first === this.#waiting.length && version <= this.reached()) return Promise.resolve({ version });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ version, resolve, reject });
      this.#arm();
    });
  }

  #arm(): void {
    const first = this.#waiting[this.#first];
    if (this.#armed || first === undefined) return;
    this.#armed = true;
    this.#core.wait(first.version, this.#stage).then(
      () => this.#settle(undefined),
      (error: unknown) => this.#settle({ error }),
    );
  }

  /** Answers those whose commit came so far, and after an error all others too: nothing will be written any more. */
  #settle(failed: { error: unknown } | undefined): void {
    this.#armed = false;
    let reached = -1;
    try {
      reached = this.reached();
    } catch (error) {
      failed ??= { error };
    }
    for (let next = this.#waiting[this.#first]; next; next = this.#waiting[++this.#first]) {
      if (next.version <= reached) next.resolve({ version: next.version });
      else if (failed) next.reject(failed.error);
      else break;
    }
    if (this.#first > 1024 || this.#first === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    if (reached < 0) return;
    this.#onProgress();
    this.#arm();
  }
}

export class Acknowledgements {
  readonly #queues: readonly [Queue, Queue, Queue];

  constructor(core: CoreDatabase, onProgress: () => void) {
    const queue = (stage: Stage): Queue => new Queue(core, stage, onProgress);
    this.#queues = [queue(0), queue(1), queue(2)];
  }

  /** A promise that a commit has reached a stage. */
  of(version: Version, stage: Stage): Promise<Commit> {
    return this.#queues[stage].push(version);
  }

  /** The newest version that has reached a stage and is visible. */
  reached(stage: Stage): Version {
    return this.#queues[stage].reached();
  }
}
