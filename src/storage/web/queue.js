// Operations one after the other.

/** Runs operations in the order in which they come: at once while none is under way, else after those before. */
export class Queue {
  /** @type {Promise<void> | undefined} */
  #last;

  /**
   * @template T
   * @param {() => T | Promise<T>} operation
   * @returns {T | Promise<T>}
   */
  run(operation) {
    const result = this.#last ? this.#last.then(operation) : operation();
    if (result instanceof Promise) this.#follow(result);
    return result;
  }

  /** @param {Promise<unknown>} operation */
  #follow(operation) {
    const done = () => {
      if (this.#last === last) this.#last = undefined;
    };
    const last = operation.then(done, done);
    this.#last = last;
  }
}
