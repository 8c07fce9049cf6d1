// Bun, which the tests also run under: installed by npm in a folder of its own, because
// it is large, and not there for every machine.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VERSION = "1.4.5";

/** How to call Bun in a project's folder; undefined where it cannot be had. */
export function findBun(root) {
  const folder = join(root, "build", "bun");
  const command = join(folder, "node_modules", ".bin", "bun");
  const works = () =>
    spawnSync(command, ["--version"], { encoding: "utf8" }).stdout?.trim() ===
      VERSION;
  if (works()) return command;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"private":true}\n');
  const { error, stderr } = spawnSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--no-save", `bun@${VERSION}`],
    { cwd: folder, encoding: "utf8", timeout: 110_000 },
  );
  if (works()) return command;
  console.log(`Bun cannot be installed: ${error?.message ?? stderr}`);
  return undefined;
}
