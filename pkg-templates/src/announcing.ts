/**
 * One writes and others follow. The writer tells over a channel how far its commits are durable; a follower (following.ts)
 * reads the new frames out of the files, up to there and no further.
 *
 * The writer is silent until a follower asks, so that who is alone pays nothing.
 */

import type { Connection } from "./connection.js";
import type { Version } from "./types.js";

export type Message = { kind: "hello" } | { kind: "opened" } | { kind: "durable"; version: Version };

/** By the place and not by the name, which other directories or storages may have too. */
export function channelOf(location: string): BroadcastChannel {
  const channel = new BroadcastChannel(`selkie:${location}`);
  // In Node a channel keeps the process running.
  (channel as { unref?: () => void }).unref?.();
  return channel;
}

/** Ends the channel of a database that nobody has any more. */
const dropped = new FinalizationRegistry<BroadcastChannel>((channel) => channel.close());

/** Lets a writer tell how far it is. */
export function announce(location: string, connection: Connection): void {
  const channel = channelOf(location);
  // The channel is kept while it listens, and must not keep the database: what it calls shares its variables with every
  // function in here, so that none of them may name the connection.
  const reference = new WeakRef(connection);
  let told = -1;
  const tell = (writer: Connection): void => {
    const version = writer.durable();
    if (version <= told) return;
    told = version;
    channel.postMessage({ kind: "durable", version } satisfies Message);
  };
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    const writer = reference.deref();
    if (data.kind !== "hello" || !writer) return;
    writer.onProgress = () => tell(writer);
    told = -1;
    tell(writer);
  };
  dropped.register(connection, channel, channel);
  connection.cleanups.push(() => {
    dropped.unregister(channel);
    channel.close();
  });
  // Whoever followed an earlier writer asks this one from now on.
  channel.postMessage({ kind: "opened" } satisfies Message);
}
