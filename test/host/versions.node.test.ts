/** A runtime without what the package needs is told so, with its version. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("versions");

/** What an import says where `process` has no `getBuiltinModule`, and these versions. */
function refusal(versions: string): string {
  const code = `
    process.getBuiltinModule = undefined;
    Object.defineProperty(process, "versions", { value: ${versions} });
    import("zeromq-wasm").catch((error) => console.log(error.message));`;
  return spawnSync(process.execPath, ["-e", code], { encoding: "utf8" }).stdout
    .trim();
}

test("an older Node is refused", () => {
  const { version } = process;
  const expected =
    `zeromq-wasm needs Node 20.16, 22.3 or later; this is ${version}`;
  assert.is(refusal("process.versions"), expected);
});

test("an older Bun is refused by its own name", () => {
  const expected = "zeromq-wasm needs Bun 1.4 or later; this is 1.2.5";
  assert.is(refusal(`{ ...process.versions, bun: "1.2.5" }`), expected);
});

test.run();
