/** The figures of all rounds, and their medians. */

/** @typedef {import("../page/main.js").Figures} Figures */
/** @typedef {{ peer: string, durability: string, records: number, rounds: Figures[] }} Series */

export class Results {
  /** @type {Series[]} */
  series = [];

  /**
   * @param {import("../page/main.js").Job} job
   * @param {Figures} figures
   */
  add(job, figures) {
    const found = this.#find(job.peer, job.durability, job.records);
    if (found === undefined) {
      const { peer, durability, records } = job;
      this.series.push({ peer, durability, records, rounds: [figures] });
    } else {
      found.rounds.push(figures);
    }
  }

  /**
   * The median of a figure, or nothing where this peer has none.
   * @param {string} peer
   * @param {string} durability
   * @param {number} records
   * @param {string} figure
   */
  median(peer, durability, records, figure) {
    const rounds = this.#find(peer, durability, records)?.rounds ?? [];
    return median(rounds.map((round) => round[figure]).filter((value) => value !== undefined));
  }

  /** @param {string} peer @param {string} durability @param {number} records */
  #find(peer, durability, records) {
    return this.series.find((one) => one.peer === peer && one.durability === durability && one.records === records);
  }
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [below, at] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 0 && below !== undefined && at !== undefined ? (below + at) / 2 : at;
}
