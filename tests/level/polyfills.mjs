// The globals of Node that the suite and tape take for granted.

export { Buffer } from "buffer";
export { default as process } from "process/browser.js";
