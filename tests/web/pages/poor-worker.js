/** The package's worker in a browser that lacks something, which the hash of this script's address names. */

import "/pkg/dist/worker.js";

const refuse = (name, message) => () => Promise.reject(new DOMException(message, name));

const lacks = {
  "#opfs": () => Object.defineProperty(StorageManager.prototype, "getDirectory", { value: undefined }),
  "#permission": () => (StorageManager.prototype.getDirectory = refuse("SecurityError", "Security error when calling GetDirectory")),
  "#handles": () => (FileSystemFileHandle.prototype.createSyncAccessHandle = refuse("NotSupportedError", "Backend does not support this operation")),
};

lacks[location.hash]();
