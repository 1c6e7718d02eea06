/** Numbers that are the same for the same seed, in the page and in the test that looks at its work. */
export class Random {
  constructor(/** @type {number} */ seed) {
    this.state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1;
  }

  next() {
    let state = this.state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.state = state >>> 0;
    return this.state;
  }

  below(/** @type {number} */ bound) {
    return this.next() % bound;
  }
}
