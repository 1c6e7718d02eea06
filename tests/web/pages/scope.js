/** An application that lives in a worker of any kind, and does what the page asks for by a message with a port. */

import { plainError } from "./plain-error.js";

/** Begins to answer, with the package. */
export function begin(selkie) {
  const kept = {};

  const work = {
    async ping() {},
    /** Opens, and says which storage it became and what is in it. */
    async open(name, options) {
      kept[name] = await selkie.open(name, options);
      return { mode: kept[name].mode, found: kept[name].get("key") };
    },
    set: async (name, value) => void (await kept[name].set("key", value)),
    checkpoint: async (name) => void (await kept[name].checkpoint()),
    close: (name) => kept[name].close(),
  };

  async function answer({ method, given }, port) {
    try {
      port.postMessage({ value: await work[method](...given) });
    } catch (error) {
      port.postMessage({ error: plainError(error) });
    }
  }

  // A dedicated worker and a service worker hear messages themselves, a shared one through a port for each page.
  self.addEventListener("message", (event) => answer(event.data, event.ports[0]));
  self.addEventListener("connect", ({ ports: [port] }) => {
    port.onmessage = (event) => answer(event.data, event.ports[0]);
  });
  // What is there before has no page of this test, so that this version need not wait for it.
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
}
