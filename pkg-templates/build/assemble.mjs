// The package's folder, its tarball, and the checks of both.

import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { modules, pkg, root, target, templates, tool } from "./places.mjs";

const run = promisify(execFile);

/** The version is the crate's: one engine, one number. */
async function crateVersion() {
  const manifest = await readFile(path.join(root, "Cargo.toml"), "utf8");
  const version = manifest.match(/^\[workspace\.package\]\s*\nversion = "([^"]+)"/m)?.[1];
  if (version === undefined) throw new Error("Cargo.toml names no version of the workspace");
  return version;
}

export async function assemble() {
  const manifest = JSON.parse(await readFile(path.join(templates, "package.json"), "utf8"));
  manifest.version = await crateVersion();
  await writeFile(path.join(pkg, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await cp(path.join(templates, "README.md"), path.join(pkg, "README.md"));
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md"]) await cp(path.join(root, name), path.join(pkg, name));
  return manifest.version;
}

export async function pack(version) {
  await run("npm", ["pack", pkg, "--pack-destination", target], { cwd: root, maxBuffer: 16 << 20 });
  return path.join(target, `selkie-${version}.tgz`);
}

/** Both fail on anything they find: warnings too. */
export async function checkPackage(tarball) {
  await tool("publint", ["run", pkg, "--strict"]);
  await tool("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--no-color", "--exclude-entrypoints", ...modules.map((name) => `./${name}`), "./worker.js", "./package.json"]);
}
