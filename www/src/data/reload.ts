/** How far the stream was when the page reloaded itself: this outlives the page, but not the tab. */

import type { StreamMark } from "./stream";

const KEY = "selkie-stream";

export function keepForReload(mark: StreamMark): void {
  sessionStorage.setItem(KEY, JSON.stringify(mark));
}

export function readReload(): StreamMark | undefined {
  const text = sessionStorage.getItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as StreamMark);
}

export function forgetReload(): void {
  sessionStorage.removeItem(KEY);
}
