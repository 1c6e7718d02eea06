// One writer for each directory among the processes of Node: a local socket that listens for as long as the process
// lives. It is the one thing that every system takes back from a process that is killed.
//
// It does not exclude native programs, which lock a file in the directory: Node has no such locks.

import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf, coded } from "./errors.js";

const POLL_MS = 100;

/**
 * Takes the lock of a directory. Returns what gives it back.
 *
 * @param {string} directory Its real path.
 * @param {import("./host.d.ts").LockOptions} [options]
 * @returns {Promise<() => void>}
 */
export async function acquireDirectory(directory, { wait = false, signal } = {}) {
  const address = addressOf(directory);
  for (;;) {
    signal?.throwIfAborted();
    const server = await listen(address);
    if (server) return () => void server.close();
    if (!wait) throw coded("LOCKED", `the database in ${directory} is open elsewhere`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** @param {string} directory */
function addressOf(directory) {
  const name = `selkie-${createHash("sha256").update(directory).digest("hex").slice(0, 32)}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
  // Linux has names without a file, which are gone with their process.
  return process.platform === "linux" ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}

/**
 * The server that holds the address; none when another process has it.
 * @param {string} address
 */
async function listen(address) {
  const server = await tryListen(address);
  if (server || !address.endsWith(".sock") || (await answers(address))) return server;
  // A process that was killed left the file of its socket.
  await rm(address, { force: true });
  return tryListen(address);
}

/**
 * @param {string} address
 * @returns {Promise<import("node:net").Server | undefined>}
 */
function tryListen(address) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => (codeOf(error) === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    // The workers of a cluster would share what they listen on.
    server.listen({ path: address, exclusive: true }, () => resolve(server.unref()));
  });
}

/** @param {string} address */
function answers(address) {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
  });
}
