/** What Node loads has short names for variables, and whatever shows a name has the whole one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("short names");

const bundle = readFileSync("dist/core.cjs", "utf8");
/** The same for bundlers, where all names are whole. */
const whole = readFileSync("dist/embedded.mjs", "utf8");

/** The names that a pattern finds. */
function namesIn(text: string, pattern: RegExp): Set<string> {
  return new Set([...text.matchAll(pattern)].map(([, name]) => name!));
}

test("variables have short ones", () => {
  const constants = /\b([A-Z]+(?:_[A-Z]+)+)=/g;
  assert.ok(namesIn(whole, constants).size > 50);
  assert.equal([...namesIn(bundle, constants)], []);
});

test("classes and functions have their own", () => {
  for (
    const pattern of [/\b(\w+)=class\b/g, /\bfunction\*? ?(\w+)\(/g]
  ) {
    const names = namesIn(whole, pattern);
    // Decodes what Node reads from a file.
    names.delete("decode");
    assert.ok(names.size > 50);
    const kept = namesIn(bundle, pattern);
    assert.equal([...names].filter((name) => !kept.has(name)), []);
  }
});

test("the text is one that V8 keeps as UTF-16, for speed", () => {
  assert.match(bundle, /[^\0-\xff]/);
});

test("a stack has the names, and the map leads to the sources", () => {
  const folder = mkdtempSync(join(tmpdir(), "zeromq-wasm-names-"));
  try {
    const program = join(folder, "program.mjs");
    const url = pathToFileURL(resolve("dist/node.mjs")).href;
    writeFileSync(
      program,
      `import { Push } from ${JSON.stringify(url)};
      try { new Push({ linger: "x" }); } catch (error) { console.log(error.stack); }`,
    );
    const run = (...flags: string[]) =>
      spawnSync("node", [...flags, program], { encoding: "utf8" }).stdout;
    assert.match(run(), /at wholeNumber \([^]* at \[setOption\] \(/);
    const [, name, file, line] = /at (\w+) \((\S+\/ts\/\S+):(\d+):\d+\)/.exec(
      run("--enable-source-maps"),
    )!;
    assert.is(name, "wholeNumber");
    assert.is(file, resolve("ts/socket/option_access.ts"));
    const lines = readFileSync(file!, "utf8").split("\n");
    assert.match(lines[Number(line) - 1]!, "Option value must be a number");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
