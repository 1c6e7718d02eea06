// What runs in the page.

import { runSuite } from "./suite.mjs";

const post = (name, body) => fetch(name, { method: "POST", body: JSON.stringify(body) });

addEventListener("error", (event) => post("/error", String(event.error?.stack ?? event.message)));
addEventListener("unhandledrejection", (event) => post("/error", String(event.reason?.stack ?? event.reason)));

await post("/result", await runSuite({ storage: location.search.slice(1) }));
