/**
 * What every page of these tests does: it counts its visits in a database, and leaves for the test what it saw. It also does
 * what takes the files of the package that are loaded when they are needed.
 */
export async function visit(open, options) {
  try {
    const db = await open("visits", options);
    const before = db.get("visits") ?? 0;
    await db.set("visits", before + 1);
    const { mode } = db;
    const { size } = await db.export();
    await db.close();
    const other = await open("others", { ...options, storage: "indexeddb" });
    await other.set("visits", before + 1);
    await other.close();
    globalThis.outcome = { before, mode, isExported: size > 0, isolated: crossOriginIsolated };
  } catch (error) {
    globalThis.outcome = { error: String(error?.stack ?? error) };
  }
}
