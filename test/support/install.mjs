// Runtimes of a certain version, installed by npm, each in a folder of its own.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LIMIT_MS = 110_000;

/** How to call it; undefined where it cannot be had, which is said. */
export function findRuntime(name, version, folder) {
  const command = join(folder, "node_modules", ".bin", name);
  const works = () =>
    spawnSync(command, ["--version"], { encoding: "utf8" }).stdout
      ?.split(/[\sv]+/).includes(version);
  if (works()) return command;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"private":true}\n');
  const { error, stderr } = spawnSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--no-save", `${name}@${version}`],
    { cwd: folder, encoding: "utf8", timeout: LIMIT_MS },
  );
  if (works()) return command;
  console.log(
    `${name} ${version} cannot be installed: ${error?.message ?? stderr}`,
  );
  return undefined;
}
