// Compiles libzmq's own test programs with gcc against the distribution's libzmq
// (libzmq3-dev), runs them, and prints what comes of each there and here.
//
//   node test/libzmq/native.mjs [--all] [NAME...]
//
// Without names: those that are skipped here, or of which cases are left out or noted.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const LIMIT_MS = 60_000;
/** What the programs, not libzmq, ask of their platform. */
const PLATFORM = `#define ZMQ_HAVE_LINUX 1
#define ZMQ_IOTHREAD_POLLER_USE_EPOLL 1
#define ZMQ_POLL_BASED_ON_POLL 1
#define ZMQ_CACHELINE_SIZE 64
#define ZMQ_HAVE_IPC 1
#define ZMQ_HAVE_TIPC 1
#define ZMQ_HAVE_CURVE 1
#define ZMQ_USE_LIBSODIUM 1
#define ZMQ_HAVE_SO_PEERCRED 1
#define ZMQ_HAVE_IFADDRS 1
#define HAVE_FORK 1
#define HAVE_STRNLEN 1
`;

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const zmq = join(root, "build", "libzmq-src");
const output = join(root, "build", "libzmq-tests-native");
const { classes, skipped, cases, notes } = JSON.parse(
  readFileSync(join(here, "programs.json"), "utf8"),
);
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const names = words.length > 0
  ? words
  : process.argv.includes("--all")
  ? [...Object.values(classes).flat(), ...Object.keys(skipped)]
  : [...Object.keys(skipped), ...Object.keys(cases), ...Object.keys(notes)];

mkdirSync(output, { recursive: true });
writeFileSync(join(output, "platform.hpp"), PLATFORM);
const include = [
  ...["-w", "-O1", "-DZMQ_CUSTOM_PLATFORM_HPP", "-DUNITY_EXCLUDE_FLOAT"],
  ...["-I", output, "-I", join(zmq, "external", "unity"), "-I"],
  join(zmq, "src"),
];

/** Why it cannot be compiled, or nothing. */
function compile(command, ...args) {
  const { status, stderr, error } = spawnSync(command, [...include, ...args], {
    encoding: "utf8",
  });
  if (error) throw error;
  return status === 0 ? "" : stderr;
}

const common = ["unity", "testutil", "testutil_unity"];
common.push("testutil_monitoring", "testutil_security");
for (const name of common) {
  const source = name === "unity"
    ? join(zmq, "external", "unity", "unity.c")
    : join(zmq, "tests", `${name}.cpp`);
  const compiler = name === "unity" ? "gcc" : "g++";
  const why = compile(compiler, "-c", source, "-o", join(output, `${name}.o`));
  if (why) throw new Error(`${name}: ${why}`);
}

/** What comes of a program with the distribution's libzmq. */
function native(name) {
  const unit = name.startsWith("unittest_");
  const program = unit ? name : `test_${name}`;
  const folder = unit ? "unittests" : "tests";
  const source = join(zmq, folder, `${program}.cpp`);
  if (!existsSync(source)) return "no source";
  const made = join(output, program);
  // The unit tests need the insides: the archive has them.
  const why = compile(
    "g++",
    ...[source, ...common.map((one) => join(output, `${one}.o`)), "-o", made],
    ...unit ? ["-Wl,-Bstatic", "-lzmq", "-Wl,-Bdynamic"] : ["-lzmq"],
    ...["-lpthread", "-lsodium"],
  );
  if (why) {
    const line = /undefined reference to .*|error: .*/.exec(why)?.[0];
    return `does not build: ${line ?? why}`;
  }
  const cwd = mkdtempSync(join(tmpdir(), "zmq-native-"));
  const { status, signal, stdout } = spawnSync(made, {
    cwd,
    encoding: "utf8",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  rmSync(cwd, { recursive: true, force: true });
  const count =
    /^(\d+) Tests (\d+) Failures (\d+) Ignored/m.exec(stdout)?.slice(1) ?? [];
  const sum = count.length > 0
    ? `${count[0]} cases, ${count[1]} failed, ${count[2]} ignored`
    : "";
  const lines = [...stdout.matchAll(/:(\w+):(FAIL|IGNORE): ?(.*)$/gm)]
    .map(([, test, what, text]) => `\n      ${what} ${test}: ${text}`);
  const end = status === 0
    ? "passed"
    : status === 77
    ? "skipped itself"
    : signal === "SIGKILL"
    ? `still running after ${LIMIT_MS / 1000} s`
    : `failed: ${signal ?? `status ${status}`}`;
  return [end, sum].filter(Boolean).join("  ") + lines.join("");
}

for (const name of new Set(names.map((name) => name.replace(/^test_/, "")))) {
  const left = Object.entries(cases[name] ?? {}).flatMap(([where, tests]) =>
    Object.keys(tests).map((test) =>
      where === "all" ? test : `${test} on ${where}`
    )
  );
  console.log(
    `${name}\n    here: ${
      skipped[name]
        ? `skipped: ${skipped[name]}`
        : ["passed", ...left.map((test) => `left out: ${test}`), notes[name]]
          .filter(Boolean).join("; ")
    }\n    native: ${native(name)}`,
  );
}
