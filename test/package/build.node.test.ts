/** build.sh says in one line what is wrong, and leaves nothing half-written. */
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { withExport } from "./wasm_export.ts";

type Context = { tree: string };
const test = suite<Context>("build.sh", { tree: "" });

test.before.each((context) => {
  // A copy, so that the real build/ and dist/ stay as they are.
  const tree = mkdtempSync(join(tmpdir(), "zeromq-wasm-build-"));
  cpSync("build.sh", join(tree, "build.sh"));
  cpSync("wasm", join(tree, "wasm"), { recursive: true });
  cpSync("patches", join(tree, "patches"), { recursive: true });
  context.tree = tree;
});

test.after.each(({ tree }) => rmSync(tree, { recursive: true, force: true }));

function build(tree: string, stages: string, env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(
    "bash",
    [join(tree, "build.sh"), ...stages.split(" ")],
    {
      encoding: "utf8",
      env: {
        ...process.env,
        LIBZMQ_SOURCE: "",
        LIBSODIUM_SOURCE: "",
        ZEROMQ_WASM_CACHE: join(tree, "cache"),
        ...env,
      },
    },
  );
  return { status, stdout, stderr };
}

function refuses(
  tree: string,
  stages: string,
  message: RegExp,
  env?: Record<string, string>,
): void {
  const { status, stderr } = build(tree, stages, env);
  assert.match(stderr, message);
  assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
  assert.is(status, 1);
}

/** All files below a folder, with a sum of what is in them. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const sum = createHash("sha256").update(readFileSync(path)).digest("hex");
      return `${path} ${sum}`;
    })
    .sort();
}

/** Sources with just enough in them to be unpacked and patched. */
function fakeSources(tree: string): Record<string, string> {
  const zmq = join(tree, "zmq"), sodium = join(tree, "sodium");
  mkdirSync(join(zmq, "include"), { recursive: true });
  const version = ["MAJOR 4", "MINOR 3", "PATCH 4"];
  writeFileSync(
    join(zmq, "include", "zmq.h"),
    version.map((it) => `#define ZMQ_VERSION_${it}\n`).join(""),
  );
  writeFileSync(join(zmq, "text"), "one\ntwo\nthree\n");
  const include = join(sodium, "src/libsodium/include/sodium");
  mkdirSync(include, { recursive: true });
  writeFileSync(join(include, "version.h"), "");
  rmSync(join(tree, "patches"), { recursive: true });
  mkdirSync(join(tree, "patches"));
  return { LIBZMQ_SOURCE: zmq, LIBSODIUM_SOURCE: sodium };
}

function writePatch(
  tree: string,
  name: string,
  from: string,
  header = "",
): void {
  const text = `Why\n\n${header}--- a/text\n+++ b/text\n@@ -1,3 +1,3 @@\n` +
    ` one\n-${from}\n+${from}!\n three\n`;
  writeFileSync(join(tree, "patches", name), text);
}

test("an unknown stage, before any other is run", ({ tree }) => {
  const before = snapshot(tree);
  const message =
    /^build\.sh: no stage 'nonsense'; there are: toolchain .* size$/m;
  refuses(tree, "nonsense", message);
  refuses(tree, "sources nonsense", message);
  assert.equal(snapshot(tree), before);
  assert.not(existsSync(join(tree, "build")));
});

test("a tarball in the cache that is not the right one", ({ tree }) => {
  mkdirSync(join(tree, "cache"));
  for (const name of ["libzmq-4.3.4", "libsodium-1.0.18"]) {
    writeFileSync(join(tree, "cache", `${name}.tar.gz`), "something else");
  }
  const before = snapshot(tree);
  const message =
    /^build\.sh: the sha256 of \S+\/libzmq-4\.3\.4\.tar\.gz is not \w{64}$/m;
  refuses(tree, "sources", message);
  refuses(tree, "sources patches", message);
  assert.equal(snapshot(tree), before);
});

test("a source that is not there", ({ tree }) => {
  const env = {
    LIBZMQ_SOURCE: join(tree, "missing"),
    LIBSODIUM_SOURCE: join(tree, "missing too"),
  };
  const before = snapshot(tree);
  refuses(
    tree,
    "sources patches",
    /^build\.sh: there is no \S+\/missing[; ]/m,
    env,
  );
  refuses(tree, "compile", /^build\.sh: there are no sources in build\//m, env);
  assert.equal(snapshot(tree), before);
});

test("a patch that does not apply", ({ tree }) => {
  const env = fakeSources(tree);
  writePatch(tree, "0001-good.patch", "two");
  writePatch(tree, "0002-bad.patch", "zwei");
  const message =
    /^build\.sh: patches\/0002-bad\.patch does not apply to libzmq 4\.3\.4$/m;
  const folder = join(tree, "build", "libzmq-src");
  for (let i = 0; i < 2; i++) {
    refuses(tree, "patches", message, env);
    assert.not(existsSync(folder));
    assert.not(existsSync(`${folder}.hash`));
  }
  // The sources themselves are never touched, so all is well with a better patch.
  writePatch(tree, "0002-bad.patch", "two!");
  const { status, stderr } = build(tree, "patches", env);
  assert.is(stderr, "");
  assert.is(status, 0);
  assert.is(readFileSync(join(folder, "text"), "utf8"), "one\ntwo!!\nthree\n");
});

test("a patch for another version is left out", ({ tree }) => {
  const env = fakeSources(tree);
  writePatch(tree, "0001-other.patch", "two", "Applies-to: 4.3.5\n\n");
  const { status, stdout } = build(tree, "patches", env);
  assert.is(status, 0);
  assert.match(
    stdout,
    /skipped 0001-other\.patch: for libzmq 4\.3\.5, this is 4\.3\.4/,
  );
  const text = join(tree, "build", "libzmq-src", "text");
  assert.is(readFileSync(text, "utf8"), "one\ntwo\nthree\n");
});

function withWasm(tree: string, wasm: Uint8Array): void {
  mkdirSync(join(tree, "dist"), { recursive: true });
  writeFileSync(join(tree, "dist", "zeromq.wasm"), wasm);
}

const real = readFileSync("dist/zeromq.wasm");

test("the boundary is what the lists say", ({ tree }) => {
  withWasm(tree, real);
  const { status, stderr } = build(tree, "check size");
  assert.is(stderr, "");
  assert.is(status, 0);
});

test("a name in the list that the module does not export", ({ tree }) => {
  withWasm(tree, real);
  writeFileSync(join(tree, "wasm", "exports.txt"), "\nzw_nonsense\n", {
    flag: "a",
  });
  refuses(
    tree,
    "check",
    /^in wasm\/exports\.txt, but not exported: zw_nonsense$/m,
  );
});

test("an export of the module that is not in the list", ({ tree }) => {
  const more = withExport(real, "zw_more", "zw_pump");
  assert.ok(WebAssembly.validate(new Uint8Array(more)));
  withWasm(tree, more);
  refuses(tree, "check", /^exported, but not in wasm\/exports\.txt: zw_more$/m);
});

test("an import of the module that is not in the header", ({ tree }) => {
  withWasm(tree, real);
  const header = join(tree, "wasm", "imports.h");
  const text = readFileSync(header, "utf8");
  const less = text.replace(/(HOST ?\(")random"/, '$1entropy"');
  assert.is.not(less, text);
  writeFileSync(header, less);
  const { status, stderr } = build(tree, "check");
  assert.is(status, 1);
  assert.match(stderr, "imported, but not in wasm/imports.h: host.random\n");
  assert.match(stderr, "in wasm/imports.h, but not imported: host.entropy\n");
});

test("no module at all", ({ tree }) => {
  for (const stage of ["check", "bundle", "size"]) {
    refuses(tree, stage, /^build\.sh: there is no dist\/zeromq\.wasm/m);
  }
  assert.not(existsSync(join(tree, "dist")));
});

test("a module that has grown too large, as it is and compressed", ({ tree }) => {
  withWasm(tree, Buffer.concat([real, Buffer.alloc(500_000)]));
  refuses(tree, "size", /^build\.sh: dist\/zeromq\.wasm is over \d+ bytes$/m);
  withWasm(tree, randomBytes(300_000));
  refuses(
    tree,
    "size",
    /^build\.sh: dist\/zeromq\.wasm is over \d+ bytes gzipped$/m,
  );
});

test.run();
