/** The whole database as a file, and back. */

import { destroy, restore, type Progress } from "selkie";
import { DATABASE, type Store } from "../store/store";

/** Between 0 and 1, or undefined where nobody knows. */
type OnPart = (part: number | undefined) => void;

const CHECKED = "playground-check";

function parts(onPart: OnPart, from: number, to: number): (progress: Progress) => void {
  return ({ bytes, total }) => onPart(total ? from + ((to - from) * bytes) / total : undefined);
}

export async function exportDatabase({ db }: Store, onPart: OnPart): Promise<void> {
  const blob = await db.export({ onProgress: parts(onPart, 0, 1) });
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = `cities-version-${db.version}.selkie`;
  link.click();
  // The download has its own hold on the data once it began.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** What is here goes only after the file was read to its end, into memory, and found whole. */
export async function importDatabase(store: Store, file: File, onPart: OnPart): Promise<void> {
  const check = await restore(CHECKED, file, { storage: "memory", onProgress: parts(onPart, 0, 0.5) });
  await check.close();
  await replace(store, async () => {
    await restore<string, unknown>(DATABASE, file, { ...store.options(), onProgress: parts(onPart, 0.5, 1) }).then(
      (db) => store.adopt(db),
    );
  });
}

export async function startOver(store: Store): Promise<void> {
  await replace(store, () => store.open());
}

async function replace(store: Store, fill: () => Promise<void>): Promise<void> {
  const { mode } = store.db;
  await store.close();
  if (mode !== "memory") await destroy(DATABASE, { storage: mode });
  await fill();
}
