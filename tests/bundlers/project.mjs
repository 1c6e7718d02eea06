/** Projects that use the package as a person's would: made anew from a fixture, with the tarball installed by npm. */

import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const target = fileURLToPath(new URL("../../target/package/", import.meta.url));
const COMMAND_LIMIT_MS = 180_000;
const START_LIMIT_MS = 60_000;
const ENVIRONMENT = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };

/** The tarball that `cargo xtask package` made last. */
function tarball() {
  const found = existsSync(target) ? readdirSync(target).filter((name) => name.endsWith(".tgz")) : [];
  if (found.length !== 1) throw new Error(`target/package has ${found.length} tarballs, not one: run cargo xtask package`);
  return join(target, found[0]);
}

/** Everything but what npm installed before is made anew. */
export async function newProject(/** @type {string} */ name) {
  const folder = join(target, "bundlers", name);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder)) {
    if (entry !== "node_modules") rmSync(join(folder, entry), { recursive: true });
  }
  rmSync(join(folder, "node_modules/selkie"), { recursive: true, force: true });
  cpSync(join(here, "fixtures", name), folder, { recursive: true });
  cpSync(join(here, "visit.js"), join(folder, "visit.js"));
  await execute(folder, "npm", ["install", tarball(), "--no-save", "--no-audit", "--no-fund", "--prefer-offline"]);
  return folder;
}

/** Runs a program in a project. What it printed is in the error if it fails. */
export async function execute(/** @type {string} */ folder, /** @type {string} */ program, /** @type {string[]} */ args) {
  try {
    const { stdout } = await run(program, args, { cwd: folder, env: ENVIRONMENT, timeout: COMMAND_LIMIT_MS });
    return stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")} failed:\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a project's own server, a program of its node_modules, and waits until it answers. */
export async function startServer(/** @type {string} */ folder, /** @type {string} */ program, /** @type {string[]} */ args) {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const command = join(folder, "node_modules/.bin", program);
  const child = spawn(command, [...args, "--port", String(port)], { cwd: folder, env: ENVIRONMENT });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (printed += data));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const close = async () => {
    child.kill();
    await ended;
  };
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await fetch(origin).catch(() => undefined))?.ok) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await close();
      throw new Error(`${program} ${args.join(" ")} does not answer at ${origin}:\n${printed}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { origin, close };
}
