/** Puts what the tests call into the page's global names. */

import * as selkie from "/pkg/dist/index.js";
import * as workload from "./workload.js";
import { plainError } from "./plain-error.js";

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What became of some work, in a form that leaves the page: its value, or its error with code and causes. */
async function outcome(work) {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: plainError(error) };
  }
}

Object.assign(globalThis, { selkie, workload, outcome, plainError, pause, kept: {} });
