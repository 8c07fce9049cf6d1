// Programs of the tests in TypeScript that are run by themselves: bundled, with the library
// from outside, and given the arguments of this process.

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Runs test/NAME/main.ts under Node with `flags`, and ends as it does. */
export async function runProgram(name, flags = []) {
  const outfile = join(root, "build", name, "main.mjs");
  await build({
    absWorkingDir: root,
    entryPoints: [`test/${name}/main.ts`],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    sourcemap: "inline",
    external: ["zeromq-wasm", "zeromq-wasm/*"],
  });
  const child = spawn(process.execPath, [
    "--enable-source-maps",
    ...flags,
    outfile,
    ...process.argv.slice(2),
  ], { stdio: "inherit", cwd: root });
  child.on("exit", (code) => process.exitCode = code ?? 1);
}
