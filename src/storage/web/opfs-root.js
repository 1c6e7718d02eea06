// What can be found out about the origin's private file system everywhere.

import { nameOf, unavailable } from "./errors.js";

export function canHaveHandles() {
  const { FileSystemFileHandle } = globalThis;
  return typeof FileSystemFileHandle === "function" && "createSyncAccessHandle" in FileSystemFileHandle.prototype;
}

export async function rootDirectory() {
  const storage = globalThis.navigator?.storage;
  if (!storage?.getDirectory) throw unavailable("there is no private file system here");
  try {
    return await storage.getDirectory();
  } catch (error) {
    throw unavailable("the private file system cannot be used here", error);
  }
}

/**
 * Whether there is something at the path.
 * @param {FileSystemDirectoryHandle} root
 * @param {string[]} path
 */
export async function exists(root, path) {
  try {
    let directory = root;
    for (const name of path) directory = await directory.getDirectoryHandle(name);
    for await (const _entry of directory.keys()) return true;
    return false;
  } catch (error) {
    if (nameOf(error) === "NotFoundError") return false;
    throw error;
  }
}
