/**
 * The types are those of the native package: what was written for it compiles with
 * ours, unchanged and under `strict`, with compilers old and new, however they resolve
 * modules; and the two sets of declarations are compared type by type.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  compile,
  COMPILERS,
  type Mode,
  MODES,
  native,
  project,
  root,
} from "./tools.ts";

const test = suite("types");

const PROGRAMS = ["usage.ts", "drafts.ts"];
for (const mode of Object.keys(MODES) as Mode[]) {
  for (const compiler of Object.keys(COMPILERS)) {
    // Each mode with one compiler, each compiler in one mode: that takes long enough.
    if (compiler !== "5.9" && mode !== "cjs") continue;
    test(`a program for zeromq, ${mode}, TypeScript ${compiler}`, async () => {
      const packages = { zeromq: root };
      const folder = project(`${mode}-${compiler}`, mode, packages, PROGRAMS);
      assert.is(await compile(compiler, folder), "");
    });
  }
}

const zeromq = native && join(native, "node_modules", "zeromq");

(zeromq === undefined ? test.skip : test)(
  "the programs are right with the native package too",
  async () => {
    const packages = { zeromq: zeromq! };
    const folder = project("native", "bundler", packages, PROGRAMS);
    assert.is(await compile("5.9", folder), "");
  },
);

for (const compiler of Object.keys(COMPILERS)) {
  (zeromq === undefined ? test.skip : test)(
    `both sets of declarations, TypeScript ${compiler}`,
    async () => {
      const folder = project(`both-${compiler}`, "bundler", {
        "zeromq": zeromq!,
        "zeromq-wasm": root,
      }, ["assignable.ts"]);
      assert.is(await compile(compiler, folder), "");
    },
  );
}

test("without the types of Node a frame is a Uint8Array", async () => {
  const folder = project("no-node", "bundler", { "zeromq-wasm": root }, []);
  rmSync(join(folder, "node_modules", "@types"), { recursive: true });
  writeFileSync(
    join(folder, "main.ts"),
    `import { type Message, Pull } from "zeromq-wasm";
    const bytes: Uint8Array = await new Pull().receive().then(([m]) => m!);
    type Same<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false;
    const same: Same<Message, Uint8Array> = true;
    console.log(bytes, same);
    export {};`,
  );
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        ...{ module: "esnext", moduleResolution: "bundler" },
        lib: ["es2022", "dom", "esnext.disposable"],
        noEmit: true,
        strict: true,
        target: "es2022",
        types: [],
      },
      files: ["main.ts"],
    }),
  );
  assert.is(await compile("5.9", folder), "");
});

test.run();
