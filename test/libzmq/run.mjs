// Runs libzmq's own test programs on Node.js and on Deno, each in a process of its
// own. What they are and which cannot pass here, and why: programs.json.
//
//   node test/libzmq/run.mjs [--fast] [--node | --deno] [--sanitize] [--verbose] [NAME...]
//
// A NAME is a program, with or without test_, or a class such as A1. --fast runs the
// quick classes on Node.js only; --sanitize has libzmq and wasm/ end at wrong accesses to
// memory and at undefined behaviour (test/sanitize), on Node.js only. The last line is "N passed, N failed, N skipped", in
// programs: one that runs on two runtimes counts once, and passes if it does on both.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { plugin } from "../sanitize/plugin.mjs";

const LIMIT_MS = 120_000;

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const sanitize = process.argv.includes("--sanitize");
const output = join(
  root,
  "build",
  sanitize ? "libzmq-tests-sanitize" : "libzmq-tests",
);
const wasm = join(output, "tests.wasm");
const { classes, fast, skipped, cases, notes } = JSON.parse(
  readFileSync(join(here, "programs.json"), "utf8"),
);

const fullName = (name) => name.startsWith("unittest_") ? name : `test_${name}`;
const options = process.argv.slice(2).filter((word) => word.startsWith("--"));
const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const has = (option) => options.includes(option);

/** The programs to run, with their classes, in order. */
function choose() {
  const all = Object.entries(classes).flatMap(([kind, programs]) =>
    programs.map((program) => ({ kind, name: fullName(program) }))
  );
  for (const program of Object.keys(skipped)) {
    const name = fullName(program);
    if (!all.some((entry) => entry.name === name)) {
      all.push({ kind: "X", name });
    }
  }
  if (has("--fast")) return all.filter(({ kind }) => fast.includes(kind));
  if (names.length === 0) return all;
  const unknown = names.filter((word) =>
    !all.some(({ kind, name }) =>
      word === kind || name === fullName(word) || name === word
    )
  );
  if (unknown.length > 0) throw new Error(`no such program: ${unknown}`);
  return all.filter(({ kind, name }) =>
    names.some((word) =>
      word === kind || name === fullName(word) || name === word
    )
  );
}

/** The loader, with the product's layers; only the imports are the tests' own. */
async function bundle(runtime) {
  const file = join(output, `main-${runtime}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: ["test/libzmq/main.ts"],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    sourcemap: "inline",
    logLevel: "warning",
    alias: {
      "zeromq-wasm:constants": "./build/constants.mjs",
      "zeromq-wasm:host": `./ts/host/detect_${runtime}.ts`,
    },
    plugins: [{
      name: "test module",
      setup(build) {
        build.onResolve(
          { filter: /^\.\/imports\.ts$/ },
          ({ importer }) =>
            importer.endsWith("ts/native/instance.ts")
              ? { path: join(here, "imports.ts") }
              : undefined,
        );
        build.onResolve({ filter: /^zeromq-wasm:bytes$/ }, () => ({
          path: join(here, "bytes.ts"),
        }));
      },
    }, ...sanitize ? [plugin] : []],
  });
  return file;
}

/** Runs a command in a new folder: how it ended, and all that it printed. */
function run(command, args) {
  const folder = mkdtempSync(join(tmpdir(), "zmq-test-"));
  return new Promise((resolve) => {
    let text = "";
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const timer = setTimeout(() => {
      text += `\nstill running after ${LIMIT_MS / 1000} s\n`;
      child.kill("SIGKILL");
    }, LIMIT_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => text += chunk);
    }
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
      resolve({ ok: code === 0, end: signal ?? `status ${code}`, text });
    });
  });
}

/** What Unity says at the end: "N Tests N Failures N Ignored". */
function summary(text) {
  const found = [
    ...text.matchAll(/^(\d+) Tests (\d+) Failures (\d+) Ignored/gm),
  ].at(-1);
  const left = text.match(/^\w+: skipped: /gm)?.length ?? 0;
  if (!found) return "";
  const [, tests, failures, ignored] = found.map(Number);
  return `${tests} cases` + (failures ? `, ${failures} failed` : "") +
    (ignored ? `, ${ignored} ignored` : "") +
    (left ? `, ${left} left out` : "");
}

const chosen = choose();
const runnable = chosen.filter(({ name }) => !reason(name));
function reason(name) {
  return skipped[name] ?? skipped[name.replace(/^test_/, "")];
}

if (runnable.length > 0) {
  // All programs are built, whichever are run: they are one module.
  const all = Object.values(classes).flat().map(fullName).filter((name) =>
    !reason(name)
  );
  const command = (script, ...args) => {
    const { status } = spawnSync("bash", [join(root, script), ...args], {
      cwd: root,
      env: { ...process.env, SANITIZE: sanitize ? "1" : "" },
      stdio: "inherit",
    });
    if (status !== 0) process.exit(1);
  };
  if (sanitize) command("test/sanitize/build.sh");
  command("test/libzmq/build.sh", ...all);
}
const built = runnable.length === 0
  ? []
  : readFileSync(join(output, "programs"), "utf8").trim().split("\n");
const runtimes = [];
const only = has("--deno")
  ? "deno"
  : has("--node") || has("--fast") || sanitize
  ? "node"
  : undefined;
if (only !== "deno") {
  runtimes.push(["node", process.execPath, ["--enable-source-maps"]]);
}
if (only !== "node") {
  runtimes.push(["deno", join(root, "node_modules", ".bin", "deno"), [
    "run",
    "-A",
    "--unstable-net",
  ]]);
}
const loaders = {};
for (const [runtime] of runtimes) loaders[runtime] = await bundle(runtime);

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const { kind, name } of chosen) {
  if (reason(name)) {
    sum.skipped++;
    console.log(`${kind.padEnd(3)} ${name}  skipped: ${reason(name)}`);
    continue;
  }
  if (!built.includes(name)) {
    sum.failed++;
    console.log(`${kind.padEnd(3)} ${name}  failed: does not compile`);
    continue;
  }
  const note = notes[name.replace(/^test_/, "")];
  if (note) console.log(`${kind.padEnd(3)} ${name}  note: ${note}`);
  const leftOut = cases[name.replace(/^test_/, "")] ?? {};
  for (const [where, tests] of Object.entries(leftOut)) {
    if (where === "sanitize" && !sanitize) continue;
    for (const [test, why] of Object.entries(tests)) {
      const on = where === "all" ? "" : ` on ${where}`;
      console.log(`${kind.padEnd(3)} ${name}  left out${on}: ${test}: ${why}`);
    }
  }
  let failed = false;
  for (const [runtime, command, args] of runtimes) {
    const started = performance.now();
    const { ok, end, text } = await run(command, [
      ...args,
      loaders[runtime],
      wasm,
      String(built.indexOf(name)),
      name,
      JSON.stringify({
        ...leftOut.all,
        ...leftOut[runtime],
        ...sanitize && leftOut.sanitize,
      }),
    ]);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${kind.padEnd(3)} ${name}  ${runtime}  ${
        ok ? "passed" : `failed: ${end}`
      }  ${summary(text)}  ${seconds} s`,
    );
    if (!ok || has("--verbose")) {
      console.log(text.trimEnd().replace(/^/gm, "    "));
    }
    if (!ok) failed = true;
  }
  sum[failed ? "failed" : "passed"]++;
}
console.log(
  `${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`,
);
process.exitCode = sum.failed > 0 || chosen.length === 0 ? 1 : 0;
