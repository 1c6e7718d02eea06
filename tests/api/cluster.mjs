// Two workers of a cluster that open the same database. Each says what became of it.

import cluster from "node:cluster";
import { open } from "../../pkg/dist/node.js";

const directory = process.argv[2];

if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()];
  let answers = 0;
  cluster.on("message", (_worker, answer) => {
    console.log(answer);
    // Only then may the one who has it give it back.
    if (++answers === workers.length) for (const worker of workers) worker.process.kill();
  });
} else {
  const outcome = await open("db", { directory }).then(
    () => "open",
    (error) => error.code,
  );
  process.send(outcome);
  setInterval(() => {}, 1000);
}
