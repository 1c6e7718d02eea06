/** Asks before something cannot be undone. */

import { button, h } from "./dom";

export function confirm(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog: HTMLDialogElement = h(
      "dialog",
      { class: "dialog", "aria-labelledby": "dialog-title" },
      h("h2", { id: "dialog-title" }, title),
      h("p", {}, text),
      h(
        "div",
        { class: "actions" },
        button("Cancel", () => dialog.close(), { class: "button", autofocus: true }),
        button(action, () => dialog.close("yes"), { class: "button danger" }),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
