/** What every page of these tests does: it counts its visits in a database, and leaves for the test what it saw. */
export async function visit(open, options) {
  try {
    const db = await open("visits", options);
    const before = db.get("visits") ?? 0;
    await db.set("visits", before + 1);
    const { mode } = db;
    await db.close();
    globalThis.outcome = { before, mode, isolated: crossOriginIsolated };
  } catch (error) {
    globalThis.outcome = { error: String(error?.stack ?? error) };
  }
}
