// Runs test/**/*.test.ts, each file in a process of its own: under Node.js, and
// under Deno and Bun unless the name contains ".node.".
//
//   node test/run.mjs [--node] [--long] [TEXT...]    only the files whose path contains a TEXT
//
// --node leaves Deno and Bun out; --long runs test/**/*.long.ts, which take their time.
// A line "// deno: --flag" in a file gives Deno the flag; a line "// bun: no, REASON"
// leaves Bun out. Where Bun cannot be installed its tests are skipped, but fail if
// the environment variable CI is set.
// The last line is "N passed, N failed", and ", N skipped" when there are any.

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { findBun } from "./support/bun.mjs";
import { bundle, root } from "./support/bundle.mjs";
import { run } from "./support/run.mjs";

const output = join(root, "build", "test");

const words = process.argv.slice(2);
const nodeOnly = words.includes("--node");
const LIMIT_MS = words.includes("--long") ? 400_000 : 120_000;
const ending = words.includes("--long") ? ".long.ts" : ".test.ts";

/** The test files, relative to the project. */
function find(filters) {
  return readdirSync(join(root, "test"), { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join("test", name))
    .filter((name) =>
      filters.length === 0 || filters.some((text) => name.includes(text))
    )
    .sort();
}

/** Adds up what uvu printed; a file that did not finish has at least one failure. */
function count({ ok, text }) {
  const last = (word) => {
    const found = [...text.matchAll(new RegExp(`^ +${word}: +(\\d+)`, "gm"))]
      .at(-1);
    return found === undefined ? undefined : Number(found[1]);
  };
  const total = last("Total");
  const passed = last("Passed") ?? 0;
  const skipped = last("Skipped") ?? 0;
  let failed = total === undefined ? 1 : total - passed;
  // It ended badly after its tests, or it had none.
  if (failed === 0 && (!ok || total + skipped === 0)) failed = 1;
  return { passed, failed, skipped };
}

let bun;

const sum = { passed: 0, failed: 0, skipped: 0 };
const files = find(words.filter((word) => !word.startsWith("--")));
rmSync(output, { recursive: true, force: true });

for (const file of files) {
  const module = join(output, relative("test", file).replace(/\.ts$/, ".mjs"));
  try {
    await bundle(file, module, {
      alias: {
        "zeromq-wasm:bytes": "./build/bytes.mjs",
        "zeromq-wasm:constants": "./build/constants.mjs",
        "zeromq-wasm:host": "./ts/host/detect_node.ts",
      },
    });
  } catch {
    // esbuild has said why.
    console.log(`${file}  does not bundle`);
    sum.failed++;
    continue;
  }

  const runtimes = [["node", process.execPath, [
    "--enable-source-maps",
    module,
  ]]];
  if (!nodeOnly && !file.includes(".node.")) {
    const text = readFileSync(join(root, file), "utf8");
    const flags = /^\/\/ deno: (.+)$/m.exec(text);
    runtimes.push(["deno", join(root, "node_modules", ".bin", "deno"), [
      "run",
      "-A",
      ...flags?.[1].split(" ") ?? [],
      module,
    ]]);
    if (!/^\/\/ bun: no, /m.test(text)) {
      bun ??= findBun(root) ?? "";
      runtimes.push(["bun", bun, [module]]);
    }
  }
  for (const [runtime, command, args] of runtimes) {
    if (!command) {
      sum[process.env.CI ? "failed" : "skipped"]++;
      console.log(`${file}  ${runtime}  not there`);
      continue;
    }
    const started = performance.now();
    const result = await run(command, args, LIMIT_MS);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const counted = count(result);
    for (const key of Object.keys(sum)) sum[key] += counted[key];
    const { passed, failed, skipped } = counted;
    console.log(
      `${file}  ${runtime}  ${passed} passed, ${failed} failed` +
        `${skipped > 0 ? `, ${skipped} skipped` : ""}  ${seconds} s`,
    );
    for (const [, note] of result.text.matchAll(/^(?: *\w+ +)?note: (.+)$/gm)) {
      console.log(`    ${note}`);
    }
    if (failed > 0) console.log(result.text.trimEnd().replace(/^/gm, "    "));
  }
}

if (files.length === 0) console.log("no test file matches");
console.log(
  `${sum.passed} passed, ${sum.failed} failed` +
    `${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""}`,
);
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
