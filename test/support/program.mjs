// Programs of the tests in TypeScript that are run by themselves, with the arguments of
// this process.

import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { bundle, root } from "./bundle.mjs";

/** Runs test/NAME/main.ts under Node with `flags`, and ends as it does. */
export async function runProgram(name, flags = []) {
  const outfile = join(root, "build", name, "main.mjs");
  await bundle(`test/${name}/main.ts`, outfile);
  const child = spawn(process.execPath, [
    "--enable-source-maps",
    ...flags,
    outfile,
    ...process.argv.slice(2),
  ], { stdio: "inherit", cwd: root });
  child.on("exit", (code) => process.exitCode = code ?? 1);
}
