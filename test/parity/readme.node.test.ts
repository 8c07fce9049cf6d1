/** The list of differences is what README.md says, and all of it is tested. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DIFFERENCES } from "./differences.ts";

const test = suite("differences");

const folder = join(process.cwd(), "test", "parity");
const readme = readFileSync("README.md", "utf8");

test("README.md has them all, and no others", () => {
  const rows = readme.split("## Coming from `zeromq`")[1]!.split("\n## ")[0]!
    .split("\n").filter((line) => /^\| [^|]/.test(line));
  assert.equal(
    rows,
    Object.values(DIFFERENCES).map(({ what, native, ours }) =>
      `| ${what} | ${native} | ${ours} |`
    ),
  );
});

test("each is asserted for both packages", () => {
  const tests = readdirSync(folder).filter((name) => name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  for (const name of Object.keys(DIFFERENCES)) {
    const used = new RegExp(`differs(<unknown>)?\\(\\s*"${name}"`).test(tests);
    assert.ok(used, name);
  }
});

test.run();
