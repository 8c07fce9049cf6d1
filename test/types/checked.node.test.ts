/**
 * Our declarations check with `skipLibCheck: false`, without the types of a page, with the
 * oldest library and with compilers old and new.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  compile,
  COMPILERS,
  type Mode,
  MODES,
  project,
  root,
} from "./tools.ts";

const test = suite("types, checked");

/** Each way to find modules with the oldest compiler and one other. */
const CHECKED: readonly [compiler: string, mode: Mode][] = [
  ["5.0", "esm"],
  ["5.0", "cjs"],
  ["5.0", "bundler"],
  ["5.9", "bundler"],
  ["6.0", "cjs"],
  ["7.0", "esm"],
];
// Without the network, only the current compiler is there.
for (const [compiler, mode] of CHECKED.filter(([name]) => name in COMPILERS)) {
  const name = `${mode}, TypeScript ${compiler}`;
  test(`without the types of a page, ${name}`, async () => {
    const packages = { "zeromq-wasm": root };
    const folder = project(`no-dom-${name}`, mode, packages, []);
    writeFileSync(
      join(folder, "main.ts"),
      `import * as zmq from "zeromq-wasm";
      import { Authenticator } from "zeromq-wasm/auth";
      import { Radio } from "zeromq-wasm/draft";
      import * as draft from "zeromq-wasm/draft.js";
      import { socket } from "zeromq-wasm/v5-compat";
      import * as v5 from "zeromq-wasm/v5-compat.js";
      export async function main(): Promise<void> {
        const [frame] = await new zmq.Pull().receive();
        const text: string | undefined = frame?.toString("latin1");
        const radio: draft.Radio = new Radio();
        const same: typeof v5.socket = socket;
        await new Authenticator().start();
        console.log(text, radio.closed, same("push").type);
      }`,
    );
    const { type: _, ...modules } = MODES[mode];
    const compilerOptions = {
      ...modules,
      lib: ["es2020"],
      noEmit: true,
      preserveSymlinks: true,
      skipLibCheck: false,
      strict: true,
      target: "es2020",
      types: ["node"],
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["main.ts"] }),
    );
    assert.is(await compile(compiler, folder), "");
  });
}

test.run();
