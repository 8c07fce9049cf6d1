/** V8's code of the program, which the package keeps for the processes that follow. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { install, pack } from "./installed.ts";

const test = suite("code cache");

const packed = pack();
let project = "", cache = "";

test.before.each(() => {
  project = install(packed);
  cache = join(project, "node_modules", "zeromq-wasm", "dist", "cache");
  // Says of each script with code what V8 thought of it.
  writeFileSync(
    join(project, "watch.cjs"),
    `const vm = require("node:vm"), { Script } = vm;
    vm.Script = class extends Script {
      constructor(source, options) {
        super(source, options);
        const { cachedData } = options ?? {};
        if (cachedData) console.log(this.cachedDataRejected ? "rejected" : "taken");
      }
    };`,
  );
  writeFileSync(
    join(project, "main.mjs"),
    `import { Pull } from "zeromq-wasm";
    const pull = new Pull();
    await pull.bind("tcp://127.0.0.1:*");
    pull.close();`,
  );
});

test.after.each(() => rmSync(project, { recursive: true, force: true }));

/** What a program in the project prints, and that it ends well. */
function run(env: Record<string, string> = {}, ...args: string[]): string {
  if (args.length === 0) args = ["main.mjs"];
  const { NODE_COMPILE_CACHE: _, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--require", "./watch.cjs", ...args],
    { cwd: project, env: { ...rest, ...env }, encoding: "utf8" },
  );
  assert.is(status, 0, stderr);
  assert.is(stderr, "");
  return stdout.trim();
}

const kept = (folder = cache) => existsSync(folder) ? readdirSync(folder) : [];

test("the first program keeps it, the next ones take it", () => {
  assert.is(run(), "");
  const [name, ...others] = kept();
  assert.equal(others, []);
  const file = join(cache, name!);
  const { mtimeMs, size } = statSync(file);
  assert.ok(size > 100_000, `${size} bytes`);
  assert.is(run(), "taken");
  assert.is(run(), "taken");
  assert.equal(kept(), [name]);
  assert.is(statSync(file).mtimeMs, mtimeMs);
});

test("a program that runs on keeps it, too, whatever its timers", () => {
  writeFileSync(
    join(project, "main.mjs"),
    `import { Pull } from "zeromq-wasm";
    import { existsSync, readdirSync } from "node:fs";
    const { setTimeout } = globalThis;
    globalThis.setTimeout = () => 0;
    const pull = new Pull();
    await pull.bind("tcp://127.0.0.1:*");
    const cache = ${JSON.stringify(cache)};
    const written = () => existsSync(cache) && readdirSync(cache).some((it) => /-\\w+$/.test(it));
    while (!written()) await new Promise((done) => setTimeout(done, 10));
    console.log(process.listenerCount("exit"));
    pull.close();`,
  );
  const listeners = run();
  assert.is(kept().length, 1);
  assert.is(run(), `taken\n${listeners}`);
});

test("who opens no socket keeps nothing", () => {
  assert.is(run({}, "--input-type=module", "-e", 'import "zeromq-wasm"'), "");
  assert.equal(kept(), []);
});

test("what V8 does not take is made again", () => {
  run();
  const file = join(cache, kept()[0]!);
  const good = readFileSync(file);
  for (const bad of [good.subarray(0, -4096), Buffer.alloc(0)]) {
    writeFileSync(file, bad);
    run();
    assert.is(run(), "taken");
  }
  assert.is(kept().length, 1);
});

test("each set of flags has its own", () => {
  run();
  assert.is(run({}, "--no-opt", "main.mjs"), "");
  assert.is(run({}, "--no-opt", "main.mjs"), "taken");
  assert.is(run({ NODE_OPTIONS: "--max-old-space-size=1000" }), "");
  assert.is(run({ NODE_OPTIONS: "--max-old-space-size=1000" }), "taken");
  assert.is(run(), "taken");
  assert.is(kept().length, 3);
});

test("Node's own variables choose the folder, or that there is none", () => {
  assert.is(run({ NODE_DISABLE_COMPILE_CACHE: "1" }), "");
  assert.equal(kept(), []);
  const chosen = join(project, "chosen");
  const env = { NODE_COMPILE_CACHE: chosen };
  assert.is(run(env), "");
  assert.is(run(env), "taken");
  const ours = kept(chosen).filter((name) => name.startsWith("zeromq-"));
  assert.is(ours.length, 1);
  assert.equal(kept(), []);
});

test("any number of flags keep a few files", () => {
  const code =
    "const { Pull } = await import('zeromq-wasm'); new Pull().close();";
  for (let at = 0; at < 20; at++) {
    run({}, "--input-type=module", "-e", `${code} // ${at}`);
  }
  assert.ok(kept().length <= 16, `${kept().length} files`);
});

test("a relative folder is the same after a change of directory", () => {
  const main = join(project, "main.mjs");
  const code = readFileSync(main, "utf8");
  writeFileSync(main, `${code} process.chdir("node_modules");`);
  const env = { NODE_COMPILE_CACHE: "chosen" };
  assert.is(run(env), "");
  assert.is(run(env), "taken");
  assert.equal(kept(join(project, "node_modules", "chosen")), []);
});

test("on a full disk no part of it remains", () => {
  // Like a full disk, a limit lets some of the bytes through.
  const { status, stderr } = spawnSync(
    "bash",
    ["-c", 'ulimit -f 64; exec "$0" main.mjs', process.execPath],
    { cwd: project, encoding: "utf8" },
  );
  assert.is(status, 0, stderr);
  assert.ok(existsSync(cache));
  assert.equal(kept(), []);
});

test("without a working directory a relative folder means that nothing is kept", () => {
  const { status, stderr } = spawnSync(
    "bash",
    [
      "-c",
      'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1"',
      process.execPath,
      join(project, "main.mjs"),
    ],
    {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, NODE_COMPILE_CACHE: "kept" },
    },
  );
  assert.is(status, 0, stderr);
  assert.equal(kept(), []);
});

test("a program of Electron, which may be signed, gets no more files", () => {
  writeFileSync(
    join(project, "electron.cjs"),
    `Object.defineProperty(process, "versions", {
      value: { ...process.versions, electron: "40.0.0" } });`,
  );
  assert.is(run({}, "--require", "./electron.cjs", "main.mjs"), "");
  assert.equal(kept(), []);
});

test("where it cannot be written, all goes on without", () => {
  // A file in place of the folder: root may write everywhere else.
  writeFileSync(cache, "");
  assert.is(run(), "");
  assert.is(run(), "");
});

test("copied to elsewhere, the package writes nothing", () => {
  const folder = mkdtempSync(join(project, "elsewhere-"));
  const url = pathToFileURL(resolve("dist/node.mjs")).href;
  assert.not.match(url, "/node_modules/");
  const program = join(folder, "main.mjs");
  writeFileSync(
    program,
    readFileSync(join(project, "main.mjs"), "utf8")
      .replace('"zeromq-wasm"', JSON.stringify(url)),
  );
  run({}, program);
  assert.not.ok(existsSync(resolve("dist/cache")));
});

test("in a realm of its own all is of that realm", () => {
  writeFileSync(
    join(project, "realm.mjs"),
    `import { readFileSync } from "node:fs";
    import vm from "node:vm";
    const url = import.meta.resolve("zeromq-wasm");
    const context = vm.createContext({ process, URL, WebAssembly, performance, setTimeout,
      clearTimeout, setImmediate, clearImmediate, queueMicrotask, TextEncoder, TextDecoder,
      AbortSignal, AbortController, structuredClone, crypto, console });
    const module = new vm.SourceTextModule(readFileSync(new URL(url), "utf8"), {
      context, initializeImportMeta: (meta) => { meta.url = url; } });
    await module.link(() => { throw new Error("It imports nothing"); });
    await module.evaluate();
    const { Pull } = module.namespace;
    console.log(Pull instanceof Function, Pull instanceof vm.runInContext("Function", context));
    const pull = new Pull();
    await pull.bind("tcp://127.0.0.1:*");
    pull.close();`,
  );
  const args = ["--experimental-vm-modules", "--no-warnings", "realm.mjs"];
  assert.is(run({}, ...args), "false true");
  assert.equal(kept(), []);
});

test.run();
