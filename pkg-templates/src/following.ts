/** Following: what a reader does with what a writer announces. */

import type { CoreDatabase } from "#core";
import { channelOf, type Message } from "./announcing.js";
import type { Connection } from "./connection.js";
import type { Host, Platform } from "./platform.js";
import type { Version } from "./types.js";

/** How long a follower waits for the writer's answer. One that is frozen gives none. */
const ANSWER_MS = 500;

const REPLACED = -1;

type OpenAt = (until: Version | undefined) => Promise<CoreDatabase>;

/** The reader's side. */
export class Follower {
  readonly #channel: BroadcastChannel;
  readonly #platform: Platform;
  readonly #name: string;
  readonly #openAt: OpenAt;
  #connection: Connection | undefined;
  /** How far the writer said that its commits are durable. */
  #announced: Version | undefined;
  #running: Promise<unknown> = Promise.resolve();
  /** The run that has not begun. */
  #next: Promise<Version> | undefined;
  core!: CoreDatabase;

  private constructor(platform: Platform, name: string, location: string, openAt: OpenAt) {
    this.#platform = platform;
    this.#name = name;
    this.#openAt = openAt;
    this.#channel = channelOf(location);
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.kind === "opened") this.#greet();
      if (data.kind !== "durable") return;
      this.#announced = Math.max(this.#announced ?? 0, data.version);
      this.#answered();
      if (this.#connection) {
        this.#run(false).catch((error: unknown) => this.#connection?.lose(error));
      }
    };
  }

  #answered = (): void => {};

  /** Has a new writer tell how far it is. What an earlier one said need not be true of its database. */
  #greet(): void {
    this.#announced = undefined;
    this.#channel.postMessage({ kind: "hello" } satisfies Message);
  }

  static async open(platform: Platform, name: string, host: Host, openAt: OpenAt): Promise<Follower> {
    const follower = new Follower(platform, name, host.location, openAt);
    try {
      follower.core = await openAt(await follower.#limit());
      return follower;
    } catch (error) {
      follower.#channel.close();
      host.unlock();
      throw error;
    }
  }

  attach(connection: Connection): void {
    this.#connection = connection;
    connection.cleanups.push(() => this.#channel.close());
    // What was announced while the database was being opened.
    if ((this.#announced ?? 0) > this.core.published()) {
      this.#run(false).catch((error: unknown) => connection.lose(error));
    }
  }

  /** How far to read: as far as the writer says, or to the end where nobody writes. */
  async #limit(): Promise<Version | undefined> {
    if (!(await this.#platform.isLocked(this.#name))) return undefined;
    // The channel ends with the connection, for a reason that it tells.
    this.#connection?.check();
    const answer = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ANSWER_MS);
      this.#answered = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#channel.postMessage({ kind: "hello" } satisfies Message);
    await answer;
    this.#answered = () => {};
    // A writer that gives no answer is frozen, and commits nothing: what is in the files stays.
    return this.#announced;
  }

  /** Asks the writer how far its commits are durable, and reads up to there. */
  refresh(): Promise<Version> {
    return this.#run(true);
  }

  /** One run after the other. Those that were announced in the meantime share the next one. */
  #run(ask: boolean): Promise<Version> {
    if (!ask && this.#next) return this.#next;
    const before = this.#running;
    const run = before.then(
      () => this.#begin(ask),
      () => this.#begin(ask),
    );
    if (!ask) this.#next = run;
    this.#running = run;
    return run;
  }

  async #begin(ask: boolean): Promise<Version> {
    if (!ask) this.#next = undefined;
    return this.#read(ask ? await this.#limit() : this.#announced);
  }

  async #read(until: Version | undefined): Promise<Version> {
    const connection = this.#connection;
    if (!connection || connection.ended) return 0;
    if (until !== undefined && until <= connection.core.published()) return connection.core.published();
    const version = await connection.core.refresh(until ?? -1);
    if (version === REPLACED) {
      const core = await this.#openAt(until);
      if (connection.ended) await core.close();
      else connection.replaceCore(core);
    }
    if (!connection.ended) connection.places.update();
    return connection.core.published();
  }
}
