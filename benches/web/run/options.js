import { parseArgs } from "node:util";
import { BROWSER_NAMES } from "./browsers.js";
import { chosenPeers } from "./peers.js";

/** Fewer rounds and sizes are quicker, and shorter loops. */
const QUICK = { durationMs: 250, sizes: [size(10_000, 3), size(100_000, 1)] };
const FULL = { durationMs: 600, sizes: [size(10_000, 5), size(100_000, 3)] };
/** A thousand keys are changed by one transaction. */
const FEWEST_RECORDS = 1000;

/** @param {number} records @param {number} rounds */
function size(records, rounds) {
  return { records, rounds };
}

/** @param {string[]} args */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      browsers: { type: "string" },
      peers: { type: "string" },
      records: { type: "string" },
      rounds: { type: "string" },
    },
  });
  const plan = values.quick ? QUICK : FULL;
  const rounds = values.rounds === undefined ? undefined : count("rounds", values.rounds, 1);
  return {
    quick: values.quick,
    durationMs: plan.durationMs,
    browsers: chosenBrowsers(values.browsers?.split(",")),
    peers: chosenPeers(values.peers?.split(",")),
    sizes: sizes(plan, values.records?.split(",")).map((one) => ({ ...one, rounds: rounds ?? one.rounds })),
  };
}

/** @param {typeof QUICK} plan @param {string[] | undefined} records */
function sizes(plan, records) {
  const rounds = plan.sizes[0]?.rounds ?? 1;
  return records?.map((text) => size(count("records", text, FEWEST_RECORDS), rounds)) ?? plan.sizes;
}

/** @param {string[] | undefined} names */
function chosenBrowsers(names) {
  const unknown = names?.find((name) => !BROWSER_NAMES.some((one) => one === name));
  if (unknown !== undefined) {
    throw new Error(`--browsers takes some of ${BROWSER_NAMES.join(",")}, not \`${unknown}\``);
  }
  return BROWSER_NAMES.filter((name) => names === undefined || names.includes(name));
}

/** @param {string} option @param {string} text @param {number} least */
function count(option, text, least) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) {
    throw new Error(`--${option} takes whole numbers from ${least} on, not \`${text}\``);
  }
  return number;
}
