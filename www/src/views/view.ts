import type { Store } from "../store/store";

/** A part of the page with an address of its own. Only the one that is shown has work to do. */
export interface View {
  readonly element: HTMLElement;
  /** Becomes visible, or the database was opened again while it is. */
  show?(): void;
  hide?(): void;
  /** The data moved while it is visible. */
  moved?(): void;
}

export interface App {
  readonly store: Store;
  /** Goes to a view by its address; a key opens that place. */
  go(view: string, key?: string): void;
}

/** Why writing is not possible here, if it is not. */
export function readOnlyReason({ store }: App): string | undefined {
  return store.db.readOnly ? "This tab follows another one, so it only reads." : undefined;
}
