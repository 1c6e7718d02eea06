/**
 * Commits of which each is a function of its number, so that the number of the last one says what the whole database must be.
 *
 * If a database is not equal to the state after one of them, a commit was lost, torn, repeated or put in another order.
 */

import { Random } from "./random.js";

const KEYS = 48;
const ACCOUNTS = 6;
const LARGE_EVERY = 61;
const LARGE_LENGTH = 40_000;

/** What the commit with this number does to the keyspace of plain keys. The value `undefined` removes. */
function operations(/** @type {number} */ number) {
  const random = new Random(number);
  const changes = Array.from({ length: 1 + random.below(5) }, () => {
    const key = `key ${random.below(KEYS)}`;
    return [key, random.below(5) === 0 ? undefined : { number, text: "x".repeat(random.below(300)) }];
  });
  if (number % LARGE_EVERY === 0) changes.push(["large", { number, text: String(number % 10).repeat(LARGE_LENGTH) }]);
  return changes;
}

/** Takes money from one account and gives it to another. The sum of all is always nothing. */
function transfer(/** @type {number} */ number) {
  const random = new Random(number ^ 0x5bd1e995);
  const from = random.below(ACCOUNTS);
  const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
  return { from: `account ${from}`, to: `account ${to}`, amount: random.below(100) };
}

function apply(get, set, number) {
  for (const [key, value] of operations(number)) set(key, value);
  const { from, to, amount } = transfer(number);
  set(from, (get(from) ?? 0) - amount);
  set(to, (get(to) ?? 0) + amount);
  set("count", number);
}

/** What the database must hold after so many commits. */
export function stateAfter(/** @type {number} */ count) {
  const state = new Map();
  const set = (key, value) => (value === undefined ? state.delete(key) : state.set(key, value));
  for (let number = 1; number <= count; number++) apply((key) => state.get(key), set, number);
  return state;
}

/** The keyspace that is always written together with the default one. */
export const mirrorOf = (db) => db.keyspace("mirror");

/** Commits what belongs to this number, in two keyspaces; the promise is that of its durability. */
export function commit(db, /** @type {number} */ number, options) {
  const tx = db.begin(options);
  const mirror = tx.keyspace(mirrorOf(db));
  const set = (key, value) => {
    if (value === undefined) tx.delete(key);
    else tx.set(key, value);
  };
  apply((key) => tx.get(key), set, number);
  mirror.set("count", number);
  mirror.set(`last ${number % 16}`, number);
  return tx.commit();
}

function compare(actual, expected, what) {
  const text = JSON.stringify;
  if (text(actual) === text(expected)) return;
  throw new Error(`${what}: ${text(actual)?.slice(0, 300)} instead of ${text(expected)?.slice(0, 300)}`);
}

/** Throws unless a reader (a database, a view) shows the state after a whole number of commits, and returns that number. */
export function check(reader, mirror) {
  const count = reader.get("count") ?? 0;
  const expected = stateAfter(count);
  const found = new Map(reader.entries());
  for (const key of new Set([...expected.keys(), ...found.keys()])) {
    compare(found.get(key), expected.get(key), `after ${count} commits \`${key}\` is`);
  }
  compare(mirror.get("count") ?? 0, count, "the other keyspace's count is");
  for (let number = Math.max(1, count - 15); number <= count; number++) {
    compare(mirror.get(`last ${number % 16}`), number, `place ${number % 16} of the other keyspace is`);
  }
  return count;
}

/**
 * Commits without end, several at a time, and writes snapshots meanwhile. Ends with the error that stops it.
 *
 * The next number comes out of the database: a browser that is about to leave a page stops its tasks in the middle, and
 * then runs others of it.
 *
 * @param {(number: number) => void} acknowledged hears the number of each commit that is durable
 */
export async function commitForEver(db, { inFlight = 8, snapshots = true, options, acknowledged }) {
  const number = () => db.get("count") ?? 0;
  const committer = async () => {
    for (;;) {
      const mine = number() + 1;
      await commit(db, mine, options?.(mine));
      acknowledged(mine);
    }
  };
  const snapshotter = async () => {
    for (;;) {
      const next = number() + 300;
      while (number() < next) await new Promise((resolve) => setTimeout(resolve, 5));
      await db.checkpoint();
    }
  };
  await Promise.all([...Array.from({ length: inFlight }, committer), ...(snapshots ? [snapshotter()] : [])]);
}
