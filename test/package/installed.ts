/** The package as npm would install it, in a project elsewhere. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";

type Packed = { files: { path: string; size: number }[]; unpackedSize: number };

/** What npm would publish. */
export function pack(): Packed {
  const { status, stdout, stderr } = spawnSync(
    "npm",
    ["pack", "--dry-run", "--json", "--ignore-scripts", "--offline"],
    { encoding: "utf8" },
  );
  assert.is(status, 0, stderr);
  return JSON.parse(stdout)[0];
}

/** A project elsewhere with the package in its node_modules; remove it in the end. */
export function install(packed: Packed): string {
  const project = mkdtempSync(join(tmpdir(), "zeromq-wasm-package-"));
  for (const { path } of packed.files) {
    const to = join(project, "node_modules", "zeromq-wasm", path);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(path, to);
  }
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  return project;
}

/** Runs a command to its end; a test's own server can answer it meanwhile. */
export function run(
  project: string,
  command: string,
  args: string[],
  cwd: string = project,
): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
      env: {
        ...process.env,
        NO_COLOR: "1",
        DENO_DIR: join(project, "deno"),
        DENO_NO_UPDATE_CHECK: "1",
      },
    });
    let text = "", errors = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => text += chunk);
    child.stderr.setEncoding("utf8").on("data", (chunk) => errors += chunk);
    child.on("error", failed);
    child.on("close", (code) => {
      if (code === 0) done(text.trim());
      else failed(new Error(`${command} ended with ${code}: ${text}${errors}`));
    });
  });
}

/** A message from one socket to another, over TCP; works as a script and a module. */
export const EXCHANGE = `
  const pull = new zmq.Pull(), push = new zmq.Push();
  pull.bind("tcp://127.0.0.1:*").then(async () => {
    push.connect(pull.lastEndpoint);
    await push.send("hello from " + zmq.version);
    console.log(String.fromCharCode(...(await pull.receive())[0]));
    push.close();
    pull.close();
  });`;
export const HELLO = "hello from 4.3.4";

// Node 20.19 and 22.12 were the first to require() a module.
const [major, minor] = process.versions.node.split(".").map(Number);
export const requiresModules: boolean = major! > 22 ||
  (major === 22 && minor! >= 12) || (major === 20 && minor! >= 19);
