/** The name, with a seal's head above the water. */

import { h } from "./dom";

const SEAL = `<svg viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
<path d="M7 21c0-9 3.6-15 9-15s9 6 9 15" fill="currentColor"/>
<circle cx="12.6" cy="14" r="1.5" fill="var(--paper)"/><circle cx="19.4" cy="14" r="1.5" fill="var(--paper)"/>
<path d="M14.4 17.6h3.2L16 19.2z" fill="var(--paper)"/>
<path d="M2 22.5c2.3-2 4.7-2 7 0s4.700 2 7 0 4.700-2 7 0 4.700 2 7 0" fill="none" stroke="var(--accent)" stroke-width="2.2" stroke-linecap="round"/>
<path d="M6 27c1.700-1.300 3.300-1.300 5 0s3.300 1.300 5 0 3.300-1.300 5 0 3.300 1.300 5 0" fill="none" stroke="var(--accent)" stroke-width="1.600" stroke-linecap="round" opacity=".55"/>
</svg>`;

export function wordmark(): HTMLElement {
  const link = h("a", { class: "wordmark", href: "#search" });
  link.innerHTML = SEAL;
  link.append("Selkie");
  return link;
}
