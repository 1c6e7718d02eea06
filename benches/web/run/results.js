/** The figures of all rounds, and their medians. */

/** @typedef {import("../page/jobs.js").Figures} Figures */
/** @typedef {import("./browsers.js").BrowserName} BrowserName */
/** @typedef {{ browser: BrowserName, peer: string, durability: string, records: number }} Place what figures are compared within and between */
/** @typedef {Place & { rounds: Figures[] }} Series */

export class Results {
  /** @type {Series[]} */
  series = [];

  /** @param {Place} place @param {Figures} figures */
  add({ browser, peer, durability, records }, figures) {
    const found = this.#find({ browser, peer, durability, records });
    if (found === undefined) {
      this.series.push({ browser, peer, durability, records, rounds: [figures] });
    } else {
      found.rounds.push(figures);
    }
  }

  /** @param {Place} place */
  has(place) {
    return this.#find(place) !== undefined;
  }

  /** The median of a figure, or nothing where this peer has none. @param {Place} place @param {string} figure */
  median(place, figure) {
    const rounds = this.#find(place)?.rounds ?? [];
    return median(rounds.map((round) => round[figure]).filter((value) => value !== undefined && value !== null));
  }

  /** @param {Place} place */
  #find({ browser, peer, durability, records }) {
    return this.series.find((one) => one.browser === browser && one.peer === peer && one.durability === durability && one.records === records);
  }
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [below, at] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 0 && below !== undefined && at !== undefined ? (below + at) / 2 : at;
}
