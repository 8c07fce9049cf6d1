// Runs tests of the project, and then the fuzzers, on a module that was built with
// AddressSanitizer and UndefinedBehaviorSanitizer (build.sh), under Node.js.
//
//   npm run test:sanitize [-- [--seconds 60] [NAME...]]
//
// NAME is part of the path of a test file; the fuzzers run for the seconds. It makes a
// second project around that module, build/sanitize/tree, and runs the project's own
// runners there. The last line is "N passed, N failed": the sanitizers themselves and
// the fuzzers count as one each. libzmq's own tests: npm run test:libzmq -- --sanitize
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { plugin } from "./plugin.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const tree = join(root, "build", "sanitize", "tree");

/** Those in which libzmq runs, but for what measures the module's memory or its size. */
const USUAL = [
  "test/faults",
  "test/feature",
  "test/fuzz/found",
  "test/interop",
  "test/native",
  "test/parity/addresses",
  "test/parity/closing",
  "test/parity/options",
  "test/parity/sending",
  "test/patches",
  "test/reactor",
  "test/socket",
  "test/socks",
  "test/udp",
  "test/ws",
];

/** What cannot hold there. */
const LEFT_OUT = {
  "test/feature/auth/secrets.test.ts":
    "the sanitizer keeps freed memory for a while, and the stack is not wiped",
  "test/native/death.test.ts": "the limits of memory are others",
  "test/native/inproc_names.test.ts":
    "it looks into ts/, which has another module",
  "test/socket/no_room.test.ts": "it looks into ts/, which has another module",
  "test/socket/placed.node.test.ts": "all memory is the module's",
};

/** The fuzzers' seeds and rounds that found something here (patches 0071, 0072). */
const FOUND = [[155864544, 2], [155791727, 54]];

const words = process.argv.slice(2);
const at = words.indexOf("--seconds");
const seconds = at === -1 ? "60" : words.splice(at, 2)[1];
const names = words.length > 0 ? words : USUAL;

function must(command, ...args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

must("bash", join(here, "build.sh"));
rmSync(tree, { recursive: true, force: true });
mkdirSync(join(tree, "build"), { recursive: true });
for (const name of ["package.json", "test", "dist"]) {
  cpSync(join(root, name), join(tree, name), { recursive: true });
}
for (
  const name of [
    "ts",
    "wasm",
    "patches",
    "node_modules",
    "build/constants.mjs",
    "build/libzmq-src",
    "docs",
    "README.md",
  ]
) {
  symlinkSync(join(root, name), join(tree, name));
}
for (const [name, why] of Object.entries(LEFT_OUT)) {
  rmSync(join(tree, name));
  console.log(`${name}  left out: ${why}`);
}
const wasm = readFileSync(join(root, "build", "sanitize", "zeromq.wasm"));
writeFileSync(
  join(tree, "build", "bytes.mjs"),
  `export const wasm = "${wasm.toString("base64")}";`,
);
for (
  const [from, to] of [
    ["ts/mod.ts", "dist/node.mjs"],
    ["test/sanitize/faults.ts", "build/faults.mjs"],
  ]
) {
  await build({
    absWorkingDir: root,
    entryPoints: [from],
    outfile: join(tree, to),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    sourcemap: true,
    logLevel: "warning",
    external: ["node:*"],
    alias: {
      "zeromq-wasm:bytes": join(tree, "build", "bytes.mjs"),
      "zeromq-wasm:constants": "./build/constants.mjs",
      "zeromq-wasm:host": "./ts/host/detect_node.ts",
    },
    plugins: [plugin],
  });
}

function node(...args) {
  const child = spawnSync(process.execPath, args, {
    cwd: tree,
    env: { ...process.env, ZMQ_SANITIZED: "1" },
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  process.stdout.write(child.stdout);
  return child;
}

const sum = { passed: 0, failed: 0 };
const step = (ok) => sum[ok ? "passed" : "failed"]++;
// A sanitizer that finds nothing would let everything pass.
step(node(join(tree, "build", "faults.mjs")).status === 0);
const fuzzing = join(tree, "test", "fuzz", "run.mjs");
const fuzz = (option, ...numbers) =>
  step(node(fuzzing, option, ...numbers.map(String)).status === 0);
if (words.length === 0) {
  for (const [seed, round] of FOUND) {
    fuzz("--seed", seed, "--round", round, "--rounds", 1);
  }
}
if (seconds !== "0") fuzz("--seconds", seconds);
const tests = node(join(tree, "test", "run.mjs"), "--node", ...names);
const found = /^(\d+) passed, (\d+) failed[^\n]*\n$/m.exec(tests.stdout);
sum.passed += Number(found?.[1] ?? 0);
sum.failed += Number(found?.[2] ?? 1);
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed > 0 ? 1 : 0;
