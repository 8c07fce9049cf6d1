/** The layers of ts/: imports point down only, and only the lowest names a runtime. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const LAYERS = ["host", "syscall", "native", "reactor", "socket", "feature"];
/** Folders that are no layer of their own: what is in them needs only the public API. */
const LIKE_FEATURES = ["compat"];
/** Where the modules belong that the build puts in. */
const BUILT = {
  "zeromq-wasm:host": "host",
  "zeromq-wasm:constants": "syscall",
  "zeromq-wasm:bytes": "native",
};
/** Entries and features may use the package as its users do. */
const PUBLIC_API = "zeromq-wasm";
const LINES = 400;
/**
 * They read and write files of certificates, and are event emitters, with the modules every
 * runtime has.
 */
const USE_FILES = [
  "ts/compat/monitor.ts",
  "ts/compat/socket.ts",
  "ts/feature/auth/certificate.ts",
  "ts/feature/auth/certificate_folder.ts",
];

/** Lowest first; errors.ts is below all, the entries on top. */
function level(file: string): number {
  if (file === "ts/errors.ts") return -1;
  const folder = /^ts\/(\w+)\//.exec(file)?.[1];
  if (folder === undefined) return LAYERS.length;
  const found = LAYERS.indexOf(
    LIKE_FEATURES.includes(folder) ? "feature" : folder,
  );
  assert.is.not(found, -1, `${file} is in none of the layers`);
  return found;
}

const withoutComments = (text: string): string =>
  text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");

const files = readdirSync("ts", { recursive: true, encoding: "utf8" })
  .map((name) => join("ts", name))
  .filter((name) => name.endsWith(".ts"))
  .sort();
const codeOf = (file: string) => withoutComments(readFileSync(file, "utf8"));

/** What a module imports, also for its types, and exports from elsewhere. */
function importsOf(code: string): string[] {
  const statement = /(?:\bfrom|\bimport)\s*\(?\s*(["'])([^"'\n]+)\1/g;
  return [...code.matchAll(statement)].map((match) => match[2]!);
}

const test = suite("layers");

test("every import is found", () => {
  assert.equal(
    importsOf(`import "./a.ts";
      import type {
        B,
      } from "./b.ts";
      export * from './c.ts';
      const d = await import("./d.ts"), from = "elsewhere";`),
    ["./a.ts", "./b.ts", "./c.ts", "./d.ts"],
  );
  assert.ok(files.length > 20, `only ${files.length} files`);
});

test("imports point down", () => {
  const wrong = [];
  for (const file of files) {
    for (const name of importsOf(codeOf(file))) {
      let target: string;
      if (name.startsWith(".")) {
        target = normalize(join(dirname(file), name));
        assert.ok(files.includes(target), `${file} imports ${name}`);
      } else if (name in BUILT) {
        target = `ts/${BUILT[name as keyof typeof BUILT]}/`;
      } else if (name === PUBLIC_API) {
        target = "ts/socket/";
        if (level(file) <= level(target)) wrong.push(`${file} imports ${name}`);
      } else {
        assert.match(name, /^node:/, `${file} imports ${name}`);
        continue;
      }
      if (level(target) > level(file)) wrong.push(`${file} imports ${name}`);
    }
  }
  assert.equal(wrong, []);
});

test("only ts/host names a runtime", () => {
  const runtime =
    /\b(?:Deno|Bun)\b|\bprocess\s*[.?[]|["'`](?:node:|process["'])/;
  const wrong = files.filter((file) =>
    level(file) !== 0 && !USE_FILES.includes(file) &&
    runtime.test(codeOf(file))
  );
  assert.equal(wrong, []);
  // The same look does find it where it is.
  assert.ok(runtime.test(codeOf("ts/host/node.ts")));
  assert.ok(runtime.test(codeOf("ts/host/deno_globals.ts")));
});

test("the runtimes are apart", () => {
  const using = (pattern: RegExp) =>
    files.filter((file) =>
      importsOf(codeOf(file)).some((it) => pattern.test(it))
    );
  for (const file of using(/^node:/)) {
    assert.not.match(file, /deno/, `${file} is for Deno and imports node:`);
  }
});

test("files are short", () => {
  const long = files.filter((file) =>
    readFileSync(file, "utf8").trimEnd().split("\n").length > LINES
  );
  // Most of them: one or two may have a reason.
  assert.ok(long.length <= 2, `over ${LINES} lines: ${long.join(", ")}`);
});

test.run();
