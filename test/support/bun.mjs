// Bun, which the tests also run under: not there for every machine.

import { join } from "node:path";
import { findRuntime } from "./install.mjs";

const VERSION = "1.4.5";

/** How to call Bun in a project's folder; undefined where it cannot be had. */
export function findBun(root) {
  return findRuntime("bun", VERSION, join(root, "build", "bun"));
}
