/** The modules of what Node loads are in functions, and nobody can tell. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

type Exports = Record<string, unknown>;
type Context = { folder: string };
const test = suite<Context>("enclose", { folder: "" });

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "zeromq-wasm-enclose-"));
});
test.after(({ folder }) => rmSync(folder, { recursive: true, force: true }));

let files = 0;

type Enclose = (text: string) => string;

/** What becomes of a bundle, and what it exports. */
async function enclosed(folder: string, text: string) {
  const tool = pathToFileURL(resolve("ts/enclose.mjs")).href;
  const { enclose } = await import(tool) as { enclose: Enclose };
  const result = enclose(text);
  const file = join(folder, `${files++}.mjs`);
  writeFileSync(file, result);
  const { href } = pathToFileURL(file);
  return { text: result, exports: await import(href) as Exports };
}

const FILL = `/*${" ".repeat(16_000)}*/`;

test("modules see each other's names, and keep those of their classes", async ({ folder }) => {
  const { text, exports } = await enclosed(
    folder,
    [
      "//! ts/a.ts",
      "var hidden=1,{seen,list:[,second]}={seen:hidden,list:[0,2]};",
      `var Base=class{x=${FILL}seen};//! ts/b.ts`,
      "function early(){return later()}",
      `var Derived=class extends Base{y=${FILL}second};//! ts/c.ts`,
      `function later(){return ${FILL}new Derived}`,
      "export{early,Derived};",
    ].join("\n"),
  );
  assert.match(text, "function a_0() {");
  assert.match(text, "function b_1() {");
  assert.match(text, "function c_2() {");
  assert.match(text, "const { second, Base } = a_0();");
  const { early, Derived } = exports as {
    early(): unknown;
    Derived: { name: string };
  };
  assert.is(Derived.name, "Derived");
  assert.is(JSON.stringify(early()), '{"x":1,"y":2}');
});

test("short modules that follow each other share a function", async ({ folder }) => {
  const { text, exports } = await enclosed(
    folder,
    "//! ts/a.ts\nfunction a(){return 1}//! ts/b.ts\nfunction b(){return a()}\nexport{b};\n",
  );
  assert.is(
    text,
    "function a_0() { \nfunction a(){return 1}\n" +
      "function b(){return a()} return { b }; } const { b } = a_0();\nexport{b};\n",
  );
  assert.is((exports["b"] as () => number)(), 1);
});

test("what others see change stays where it is", async ({ folder }) => {
  for (
    const change of ["count+=1", "count++", "[count]=[1]", "for(count of[1]);"]
  ) {
    const { text, exports } = await enclosed(
      folder,
      `//! ts/a.ts\nvar count=0;function add(){${change}}${FILL}//! ts/b.ts\n` +
        "function read(){add();return count}\nexport{read};\n",
    );
    assert.not.match(text, "a_0()");
    assert.match(text, "b_1()");
    assert.is((exports["read"] as () => number)(), 1, change);
  }
});

test("modules of which nothing is left make no function", async ({ folder }) => {
  const { text } = await enclosed(
    folder,
    "//! build/c.ts\n//! ts/a.ts\nvar a=()=>1;\nexport{a};\n",
  );
  assert.match(text, /^\nfunction a_0\(\) { \nvar a=/);
});

test("what would not work is refused", async ({ folder }) => {
  for (
    const [text, message] of [
      ["var a=()=>1;\n", "no module's heading is in it"],
      ["//! ts/a.ts\nvar a_0=()=>1;\nexport{a_0};\n", "a_0 is a name in it"],
      ['//! ts/a.ts\nimport a from"node:fs";\n', "of this form can be moved"],
      ["//! ts/a.ts\nexport default()=>1;\n", "of this form can be moved"],
      ["//! ts/a.ts\nexport function a(){}\n", "of this form can be moved"],
      [
        "//! ts/a.ts\nvar a=()=>`\n//! ts/b.ts\n`;\n",
        "begins within a statement",
      ],
      ["//! ts/a.ts\nif(1)var a=()=>1;\n", "is not seen outside"],
    ] as const
  ) {
    try {
      await enclosed(folder, text);
      assert.unreachable(text);
    } catch (error) {
      assert.match((error as Error).message, message);
    }
  }
});

test("the package has most of its modules so, and its map leads to the sources", ({ folder }) => {
  const bundle = readFileSync("dist/node.mjs", "utf8");
  const inside = [
    ...bundle.matchAll(/\bfunction (\w+_\d+)\(\) \{ [^]*? = \1\(\);/g),
  ].reduce((sum, [text]) => sum + text.length, 0);
  assert.ok(inside > 0.85 * bundle.length, `${inside} of ${bundle.length}`);
  const program = join(folder, "program.mjs");
  writeFileSync(
    program,
    `import { Push } from ${
      JSON.stringify(pathToFileURL(resolve("dist/node.mjs")).href)
    };
    try { new Push({ linger: "x" }); } catch (error) { console.log(error.stack); }`,
  );
  const { stdout } = spawnSync("node", ["--enable-source-maps", program], {
    encoding: "utf8",
  });
  const frames = [...stdout.matchAll(/at (\w+) \((\S+\/ts\/\S+):(\d+):\d+\)/g)];
  const [, name, file, line] = frames[0]!;
  assert.is(name, "wholeNumber");
  assert.is(file, resolve("ts/socket/option_access.ts"));
  const lines = readFileSync(file!, "utf8").split("\n");
  assert.match(lines[Number(line) - 1]!, "Option value must be a number");
});

test.run();
