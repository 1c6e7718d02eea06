/** The iterators of abstract-level, of entries, keys and values, on one cursor. */

import { AbstractIterator, AbstractKeyIterator, AbstractValueIterator } from "abstract-level";
import { aborted, translate } from "./level-error.js";
import { range, rangeFrom, type Data, type Formats, type RangeRequest } from "./level-range.js";
import type { RangeOptions, Reader, Results } from "selkie";

/** Where an iterator reads. */
export interface Source {
  readonly reader: Reader<Data, Data>;
  readonly release: () => void;
}

/** Items that are read at a time where a signal may end the reading. */
const PORTION = 1000;

/** The place of an iterator in its range. */
class Cursor<T> {
  readonly #read: (range: RangeOptions<Data>) => Results<T>;
  readonly #bounds: RangeOptions<Data> | undefined;
  readonly #signal: AbortSignal | undefined;
  #rest: RangeOptions<Data> | undefined;
  #items: Iterator<T> | undefined;

  constructor(request: RangeRequest, read: (range: RangeOptions<Data>) => Results<T>) {
    this.#read = read;
    this.#signal = request.signal ?? undefined;
    this.#bounds = range(request);
    this.#rest = this.#bounds && request.limit >= 0 ? { ...this.#bounds, limit: request.limit } : this.#bounds;
  }

  async next(): Promise<T | undefined> {
    return (await this.take(1))[0];
  }

  /** At most so many items; fewer only at the end. A signal can end it before each portion. */
  async take(size: number): Promise<T[]> {
    if (this.#signal === undefined) return this.#portion(size);
    const items: T[] = [];
    let portion: T[];
    do {
      await (items.length === 0 ? undefined : new Promise((resolve) => setTimeout(resolve)));
      if (this.#signal.aborted) throw aborted();
      portion = this.#portion(Math.min(size - items.length, PORTION));
      for (const item of portion) items.push(item);
    } while (items.length < size && portion.length === PORTION);
    return items;
  }

  #portion(size: number): T[] {
    const items: T[] = [];
    translate(() => {
      while (items.length < size && this.#rest !== undefined) {
        this.#items ??= this.#read(this.#rest)[Symbol.iterator]();
        const step = this.#items.next();
        if (step.done === true) this.#move(undefined);
        else items.push(step.value);
      }
    });
    return items;
  }

  seek(target: Data): void {
    translate(() => {
      if (this.#bounds !== undefined) this.#move(rangeFrom(this.#bounds, target));
    });
  }

  close(): void {
    this.#move(undefined);
  }

  #move(rest: RangeOptions<Data> | undefined): void {
    this.#items?.return?.();
    this.#items = undefined;
    this.#rest = rest;
  }
}

export class SelkieIterator<TDatabase> extends AbstractIterator<TDatabase, Data, Data> {
  readonly #cursor: Cursor<[Data, Data]>;
  readonly #release: () => void;

  constructor(db: TDatabase, options: RangeRequest & Formats, { reader, release }: Source) {
    super(db, options as never);
    this.#cursor = new Cursor(options, (wanted) => reader.entries(wanted));
    this.#release = release;
  }

  protected async _next(): Promise<[Data, Data] | undefined> {
    return this.#cursor.next();
  }

  protected async _nextv(size: number): Promise<[Data, Data][]> {
    return this.#cursor.take(size);
  }

  protected async _all(): Promise<[Data, Data][]> {
    return this.#cursor.take(this.limit - this.count);
  }

  protected _seek(target: Data): void {
    this.#cursor.seek(target);
  }

  protected async _close(): Promise<void> {
    this.#cursor.close();
    translate(this.#release);
  }
}

export class SelkieKeyIterator<TDatabase> extends AbstractKeyIterator<TDatabase, Data> {
  readonly #cursor: Cursor<Data>;
  readonly #release: () => void;

  constructor(db: TDatabase, options: RangeRequest, { reader, release }: Source) {
    super(db, options as never);
    this.#cursor = new Cursor(options, (wanted) => reader.keys(wanted));
    this.#release = release;
  }

  protected async _next(): Promise<Data | undefined> {
    return this.#cursor.next();
  }

  protected async _nextv(size: number): Promise<Data[]> {
    return this.#cursor.take(size);
  }

  protected async _all(): Promise<Data[]> {
    return this.#cursor.take(this.limit - this.count);
  }

  protected _seek(target: Data): void {
    this.#cursor.seek(target);
  }

  protected async _close(): Promise<void> {
    this.#cursor.close();
    translate(this.#release);
  }
}

export class SelkieValueIterator<TDatabase> extends AbstractValueIterator<TDatabase, Data, Data> {
  readonly #cursor: Cursor<Data>;
  readonly #release: () => void;

  constructor(db: TDatabase, options: RangeRequest, { reader, release }: Source) {
    super(db, options as never);
    this.#cursor = new Cursor(options, (wanted) => reader.values(wanted));
    this.#release = release;
  }

  protected async _next(): Promise<Data | undefined> {
    return this.#cursor.next();
  }

  protected async _nextv(size: number): Promise<Data[]> {
    return this.#cursor.take(size);
  }

  protected async _all(): Promise<Data[]> {
    return this.#cursor.take(this.limit - this.count);
  }

  protected _seek(target: Data): void {
    this.#cursor.seek(target);
  }

  protected async _close(): Promise<void> {
    this.#cursor.close();
    translate(this.#release);
  }
}
