import { parseArgs } from "node:util";
import { chosenPeers } from "./peers.js";

const QUICK = {
  durationMs: 250,
  sizes: [
    size(10_000, 3, ["relaxed", "strict"]),
    size(100_000, 1, ["relaxed"]),
  ],
};
const FULL = {
  durationMs: 600,
  sizes: [
    size(10_000, 5, ["relaxed", "strict"]),
    size(100_000, 3, ["relaxed", "strict"]),
  ],
};

/**
 * @param {number} records
 * @param {number} rounds
 * @param {import("../page/peer.js").Durability[]} durabilities
 */
function size(records, rounds, durabilities) {
  return { records, rounds, durabilities };
}

/** @param {string[]} args */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      peers: { type: "string" },
      records: { type: "string" },
    },
  });
  const plan = values.quick ? QUICK : FULL;
  const sizes = values.records === undefined ? plan.sizes : [{ ...plan.sizes[0], records: count(values.records) }];
  return { quick: values.quick, durationMs: plan.durationMs, sizes: /** @type {typeof plan.sizes} */ (sizes), peers: chosenPeers(values.peers?.split(",")) };
}

/** @param {string} text */
function count(text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1000) {
    throw new Error(`--records takes a whole number from 1000 on, not \`${text}\``);
  }
  return number;
}
