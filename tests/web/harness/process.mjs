/** Finds and kills the processes of one browser, which is known by its profile directory. */

import { execFileSync } from "node:child_process";

function processes() {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8", maxBuffer: 1 << 24 }).split("\n");
  return lines.flatMap((line) => {
    const parts = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return parts ? [{ id: Number(parts[1]), parent: Number(parts[2]), command: parts[3] }] : [];
  });
}

/** The first process of the browser that runs over a profile directory. */
export function processOf(/** @type {string} */ profile) {
  const running = processes().filter(({ command }) => command.includes(profile));
  const ids = new Set(running.map(({ id }) => id));
  const first = running.find(({ parent }) => !ids.has(parent));
  if (!first) throw new Error(`no browser runs over ${profile}`);
  return first.id;
}

/** The children of a process and theirs. */
export function descendants(/** @type {number} */ id) {
  const all = processes();
  const found = [];
  for (let parents = [id]; parents.length > 0; ) {
    const children = all.filter(({ parent }) => parents.includes(parent));
    found.push(...children);
    parents = children.map((child) => child.id);
  }
  return found;
}

export function kill(/** @type {number} */ id) {
  try {
    process.kill(id, "SIGKILL");
  } catch (error) {
    // It may have ended by itself since it was listed.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH") throw error;
  }
}

/** Kills a process and all its descendants, the parents first so that none sees its children die. */
export function killTree(/** @type {number} */ id) {
  const children = descendants(id);
  kill(id);
  for (const child of children) kill(child.id);
}
