import path from "node:path";
import { fileURLToPath } from "node:url";

export const WEB = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const ROOT = path.dirname(path.dirname(WEB));
export const PACKAGE = path.join(ROOT, "pkg");
export const OUTPUT = path.join(ROOT, "target/compare-web");
export const SITE = path.join(OUTPUT, "site");
/** Profiles lie on the disk of the checkout: where a system keeps temporary files in memory, syncing costs nothing. */
export const PROFILES = path.join(OUTPUT, "profiles");
