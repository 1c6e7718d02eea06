/** How long the tasks of a page's main thread take, in Chromium: in processor time, so that other programs on the machine do not count. */

/**
 * @param {import("./browser.mjs").Browser} browser @param {import("playwright-core").Page} page @param {() => Promise<void>} work
 * @returns {Promise<number>} the longest task while `work` runs, in milliseconds
 */
export async function longestTask(browser, page, work) {
  const devtools = await browser.devtools(page);
  /** @type {any[]} */
  const events = [];
  devtools.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const complete = new Promise((resolve) => devtools.once("Tracing.tracingComplete", resolve));
  await devtools.send("Tracing.start", {
    traceConfig: { includedCategories: ["toplevel", "devtools.timeline", "__metadata"] },
  });
  await work();
  await devtools.send("Tracing.end");
  await complete;
  const thread = ({ pid, tid }) => `${pid}/${tid}`;
  const mains = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(thread),
  );
  const tasks = events.filter(
    (event) => event.name.endsWith("RunTask") && mains.has(thread(event)) && event.tdur !== undefined,
  );
  if (tasks.length === 0) throw new Error("the trace has no task of the main thread");
  return Math.max(...tasks.map(({ tdur }) => tdur)) / 1000;
}
