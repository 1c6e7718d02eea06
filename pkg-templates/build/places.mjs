// Where everything is.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const build = path.dirname(fileURLToPath(import.meta.url));
export const templates = path.dirname(build);
export const root = path.dirname(templates);
export const source = path.join(templates, "src");
export const storages = path.join(root, "src/storage/web");
export const target = path.join(root, "target/package");
export const core = path.join(target, "core");
/** What the linker wrote, and what wasm-bindgen makes of it if it leaves the names of functions as they are. */
export const linked = path.join(root, "target/wasm32-unknown-unknown/web/selkie.wasm");
export const mangled = path.join(target, "mangled/selkie_bg.wasm");
export const inlined = path.join(target, "inlined");
export const types = path.join(target, "types");
export const pkg = path.join(root, "pkg");
export const dist = path.join(pkg, "dist");

/** The entries of the package that are bundled one by one; `inline` needs their output. */
export const entries = ["index", "node", "level"];

/** The engine: what every page needs, and what is loaded when it is needed (split.mjs). */
export const modules = ["selkie.wasm", "selkie-later.wasm"];

/** What `index` imports only when it is needed. Service workers cannot import anything later: for them there is `inline`. */
export const rare = [
  ...["indexeddb.js", "opfs-files.js", "opfs-snapshot.js"].map((name) => path.join(storages, name)),
  ...["files.ts", "following.ts"].map((name) => path.join(source, name)),
];

/** The entries that there are: all of them, or with `dev` those that are written already. */
export function present(names, { dev }) {
  const missing = names.filter((name) => !existsSync(path.join(source, `${name}.ts`)));
  if (missing.length > 0 && !dev) throw new Error(`pkg-templates/src has no ${missing.join(".ts, ")}.ts`);
  return names.filter((name) => !missing.includes(name));
}

const run = promisify(execFile);

/** Runs a program of node_modules/.bin; what it printed is in the error if it fails. */
export async function tool(program, args, options = {}) {
  const file = path.join(build, "node_modules/.bin", program);
  try {
    const { stdout } = await run(file, args, { cwd: root, maxBuffer: 64 << 20, ...options });
    return stdout;
  } catch (error) {
    throw new Error(`${program} failed:\n${error.stdout ?? ""}${error.stderr ?? ""}`, { cause: error });
  }
}
