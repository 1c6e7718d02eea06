import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const tsc = fileURLToPath(new URL("../../pkg-templates/build/node_modules/.bin/tsc", import.meta.url));
const project = fileURLToPath(new URL("types", import.meta.url));

test("the package's types let through and refuse what they should, under strict", async () => {
  await promisify(execFile)(tsc, ["--project", project]).catch((error) => {
    throw new Error(error.stdout || error.message);
  });
});
