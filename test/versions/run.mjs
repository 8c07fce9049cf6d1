// Exchanges messages on other versions of the runtimes than those the tests run on: the first
// that docs/runtimes.md allows, and some since.
//
//   node test/versions/run.mjs [TEXT...]    only those whose name contains a TEXT
//
// Each is installed by npm in a folder of its own, and skipped where it cannot be. The last line
// is "N passed, N failed", counted in versions, and ", N skipped" when there are any.

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "../support/bundle.mjs";
import { findRuntime } from "../support/install.mjs";
import { run } from "../support/run.mjs";

const LIMIT_MS = 60_000;
const DENO = ["run", "-A", "--no-prompt"];

const RUNTIMES = [
  ["node", ["20.16.0", "22.3.0", "26.10.0"], "node.mjs", []],
  ["deno", ["2.4.0", "2.6.8"], "deno.mjs", DENO],
  ["bun", ["1.2.6", "1.3.10", "1.4.0"], "embedded.mjs", []],
];

const texts = process.argv.slice(2);
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const [name, versions, file, flags] of RUNTIMES) {
  for (const version of versions) {
    const title = `${name} ${version}`;
    if (texts.length > 0 && !texts.some((text) => title.includes(text))) {
      continue;
    }
    const folder = join(root, "build", "versions", `${name}-${version}`);
    const command = findRuntime(name, version, folder);
    if (!command) {
      sum.skipped++;
      continue;
    }
    // Where npm would have it: older Denos give a package other globals there.
    const installed = join(folder, "node_modules", "zeromq-wasm");
    rmSync(installed, { recursive: true, force: true });
    cpSync(join(root, "dist"), join(installed, "dist"), { recursive: true });
    cpSync(join(root, "package.json"), join(installed, "package.json"));
    const began = performance.now();
    const exchange = join(root, "test", "versions", "exchange.mjs");
    const args = [...flags, exchange, join(installed, "dist", file)];
    const { ok, text } = await run(command, args, LIMIT_MS);
    const lines = text.trimEnd().split("\n");
    const right = ok && lines.at(-1) === "done";
    sum[right ? "passed" : "failed"]++;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(
      right
        ? `${title}: ${lines.length - 1} exchanges, ${seconds} s`
        : `${title}: failed\n${text}`,
    );
  }
}
console.log(
  `${sum.passed} passed, ${sum.failed} failed` +
    `${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""}`,
);
if (sum.failed > 0 || sum.passed + sum.skipped === 0) process.exitCode = 1;
