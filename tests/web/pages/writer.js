/** An application that lives in a worker of its own: opens the database, commits for ever, and says what is durable. */

import * as selkie from "/pkg/dist/index.js";
import { commitForEver } from "./workload.js";
import { plainError } from "./plain-error.js";

onmessage = async ({ data: { name, options, write } }) => {
  try {
    const db = await selkie.open(name, options);
    postMessage({ opened: db.get("count") ?? 0 });
    await commitForEver(db, { ...write, acknowledged: (number) => postMessage({ acknowledged: number }) });
  } catch (error) {
    postMessage({ error: plainError(error) });
  }
};
