// What is compared, and how it is found or installed.

import { findBun } from "../support/bun.mjs";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const NATIVE = "zeromq@6.8.0";
const here = dirname(fileURLToPath(import.meta.url));
const peer = join(here, "peer.mjs");
export const root = dirname(dirname(here));
/** All that a run installs, compiles and writes, but the report. */
export const folder = join(root, "build", "bench");
const dist = process.env.BENCH_DIST ?? join(root, "dist");

/** The first line of a command's output, or undefined if it cannot be run. */
function output(command, ...args) {
  try {
    return execFileSync(command, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim().split("\n")[0];
  } catch {
    return undefined;
  }
}

function needFolder() {
  mkdirSync(folder, { recursive: true });
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) writeFileSync(manifest, '{"private":true}\n');
}

/** What npm installs of the build, elsewhere: only there the package keeps V8's code of it. */
function installOurs() {
  needFolder();
  const home = join(folder, "node_modules", "zeromq-wasm");
  rmSync(home, { recursive: true, force: true });
  cpSync(dist, join(home, "dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(home, "package.json"));
  return home;
}

let installed;

/** Our package on Node, with more arguments for Node. */
export function nodeRuntime(args = []) {
  installed ??= installOurs();
  return {
    name: "node",
    title: `zeromq-wasm, Node ${process.versions.node}`,
    command: process.execPath,
    args: [...args, peer],
    job: { package: join(installed, "dist", "node.mjs") },
    folder: installed,
    ours: true,
  };
}

function deno() {
  const local = join(root, "node_modules", ".bin", "deno");
  const command = existsSync(local) ? local : "deno";
  const version = output(command, "--version");
  if (!version) return "Deno is not there";
  return {
    name: "deno",
    title: `zeromq-wasm, Deno ${version.split(" ")[1]} with -A`,
    command,
    args: ["run", "-A", "--no-prompt", peer],
    job: { package: join(dist, "deno.mjs") },
    ours: true,
  };
}

function bun() {
  const command = process.env.BUN ?? findBun(root) ?? "bun";
  const version = output(command, "--version");
  if (!version) return "Bun is not on PATH, nor named by BUN";
  return {
    name: "bun",
    title: `zeromq-wasm, Bun ${version}`,
    command,
    args: [peer],
    job: { package: join(dist, "embedded.mjs") },
    ours: true,
  };
}

function native() {
  needFolder();
  const home = join(folder, "node_modules", "zeromq");
  if (!existsSync(home)) {
    execFileSync(
      "npm",
      ["install", "--no-audit", "--no-fund", "--no-save", NATIVE],
      { cwd: folder, stdio: ["ignore", "ignore", "inherit"] },
    );
  }
  const main = join(home, "lib", "index.js");
  const version = output(process.execPath, "-p", `require("${main}").version`);
  if (!version) return `${NATIVE} does not load here`;
  return {
    name: "native",
    title: `native addon ${NATIVE} on the same Node`,
    command: process.execPath,
    args: [peer],
    job: { package: main },
    folder: home,
  };
}

function c() {
  needFolder();
  const program = join(folder, "peer");
  const sources = readdirSync(join(here, "c")).filter((name) =>
    name.endsWith(".c")
  ).map((name) => join(here, "c", name));
  try {
    execFileSync(
      "gcc",
      ["-O2", "-o", program, ...sources, "-lzmq", "-lpthread"],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
  } catch {
    return "there is no gcc, or no zmq.h (libzmq3-dev)";
  }
  return {
    name: "c",
    title: `libzmq ${output(program, "job=version")} in C`,
    command: program,
    args: [],
    job: {},
  };
}

/** In the order of the report. */
const FIND = { node: () => nodeRuntime(), deno, bun, native, c };
export const NAMES = Object.keys(FIND);

/** The runtimes that are wanted and there; `tell` hears of the others. */
export function findRuntimes(wanted, tell) {
  const found = [];
  for (const name of wanted) {
    const runtime = FIND[name]();
    if (typeof runtime === "string") tell(`${name} is skipped: ${runtime}`);
    else found.push(runtime);
  }
  return found;
}

/** Whether our build has the batch forms. */
export async function hasBatch() {
  const { Pull } = await import(join(dist, "node.mjs"));
  return "receiveMany" in Pull.prototype;
}

function bytesIn(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce(
    (sum, name) => sum + bytesIn(join(path, name)),
    0,
  );
}

/** What an installed package takes on disk, with what it depends on. */
export function packageBytes(runtime) {
  if (runtime.name === "native") return bytesIn(dirname(runtime.folder));
  return runtime.name === "node" ? bytesIn(dist) : undefined;
}
