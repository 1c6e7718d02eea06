/** Projected points in typed arrays that grow, so that a repaint allocates nothing and takes a few milliseconds. */

import { project } from "./projection";

export class Points {
  xs = new Float32Array(4096);
  ys = new Float32Array(4096);
  length = 0;

  add(latitude: number, longitude: number): void {
    if (this.length === this.xs.length) this.#grow();
    const [x, y] = project(latitude, longitude);
    this.xs[this.length] = x;
    this.ys[this.length] = y;
    this.length += 1;
  }

  #grow(): void {
    const grown = (old: Float32Array) => {
      const larger = new Float32Array(old.length * 2);
      larger.set(old);
      return larger;
    };
    this.xs = grown(this.xs);
    this.ys = grown(this.ys);
  }
}
