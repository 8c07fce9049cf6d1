// Uses the built library for long, and shows what is left in memory, descriptors and timers.
//
//   npm run soak -- [--scale 0.01]     1 is 100,000 connections, a million sockets,
//                                      ten million messages
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const outfile = join(root, "build", "soak", "main.mjs");
await build({
  absWorkingDir: root,
  entryPoints: ["test/soak/main.ts"],
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
  "--expose-gc",
  outfile,
  ...process.argv.slice(2),
], { stdio: "inherit", cwd: root });
child.on("exit", (code) => process.exitCode = code ?? 1);
