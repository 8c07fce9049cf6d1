// Fuzzes the built library with hostile peers and with nonsense as arguments.
//
//   npm run fuzz -- [--seconds 60] [--seed N] [--round N] [--rounds N]
//
// A seed makes the same rounds again; a failure prints how to repeat its round.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { build } from "esbuild";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const outfile = join(root, "build", "fuzz", "main.mjs");
await build({
  absWorkingDir: root,
  entryPoints: ["test/fuzz/main.ts"],
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
  outfile,
  ...process.argv.slice(2),
], { stdio: "inherit", cwd: root });
child.on("exit", (code) => process.exitCode = code ?? 1);
