/**
 * Selkie in Node.
 *
 * @packageDocumentation
 */

import { createApi } from "./api.js";
import { nodePlatform } from "./platform-node.js";

export const { open, destroy, databases, restore, readFiles, writeFiles, requestPersistence } =
  createApi(nodePlatform());

export * from "./exports.js";
