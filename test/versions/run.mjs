// Exchanges messages on other versions of the runtimes than those the tests run on: the first
// that docs/runtimes.md allows, and some since.
//
//   node test/versions/run.mjs [TEXT...]    only those whose name contains a TEXT
//
// Each is installed by npm in a folder of its own, and skipped where it cannot be. The last line
// is "N passed, N failed", counted in versions, and ", N skipped" when there are any.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "../support/bundle.mjs";

const INSTALL_MS = 60_000, LIMIT_MS = 120_000;
const DENO = ["run", "-A", "--no-prompt"];

const RUNTIMES = [
  ["node", ["20.16.0", "22.3.0", "26.10.0"], "node.mjs", []],
  ["deno", ["2.4.0", "2.6.8"], "deno.mjs", DENO],
  ["bun", ["1.2.6", "1.3.10", "1.4.0"], "embedded.mjs", []],
];

/** How to call a version of a runtime; undefined where it cannot be had. */
function find(name, version) {
  const folder = join(root, "build", "versions", `${name}-${version}`);
  const command = join(folder, "node_modules", ".bin", name);
  const works = () =>
    spawnSync(command, ["--version"], { encoding: "utf8" }).stdout
      ?.includes(version);
  if (works()) return command;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{"private":true}\n');
  spawnSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--no-save", `${name}@${version}`],
    { cwd: folder, timeout: INSTALL_MS, stdio: "ignore" },
  );
  return works() ? command : undefined;
}

const texts = process.argv.slice(2);
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const [name, versions, file, flags] of RUNTIMES) {
  for (const version of versions) {
    const title = `${name} ${version}`;
    if (texts.length > 0 && !texts.some((text) => title.includes(text))) {
      continue;
    }
    const command = find(name, version);
    if (!command) {
      sum.skipped++;
      console.log(`${title}: cannot be installed`);
      continue;
    }
    const began = performance.now();
    const { stdout, stderr, signal } = spawnSync(
      command,
      [
        ...flags,
        join(root, "test", "versions", "exchange.mjs"),
        join(root, "dist", file),
      ],
      {
        encoding: "utf8",
        timeout: LIMIT_MS,
        env: { ...process.env, NO_COLOR: "1" },
      },
    );
    const lines = stdout.trimEnd().split("\n");
    const right = lines.at(-1) === "done";
    sum[right ? "passed" : "failed"]++;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(
      right
        ? `${title}: ${lines.length - 1} exchanges, ${seconds} s`
        : `${title}: ${signal ?? "failed"} after "${lines.at(-1)}"\n${stderr}`,
    );
  }
}
console.log(
  `${sum.passed} passed, ${sum.failed} failed` +
    `${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""}`,
);
if (sum.failed > 0 || sum.passed + sum.skipped === 0) process.exitCode = 1;
