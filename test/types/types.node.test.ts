/**
 * The types are those of the native package: what was written for it compiles with
 * ours, unchanged and under `strict`, with compilers old and new, however they resolve
 * modules; and the two sets of declarations are compared type by type.
 */
import { spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { nativeFolder } from "../support/packages.ts";

const test = suite("types");

const root = process.cwd();
const native = nativeFolder();

/** Ways to find modules, and what a program of that kind has in its package.json. */
const MODES = {
  node10: { module: "commonjs", moduleResolution: "node10", type: "commonjs" },
  cjs: { module: "node16", moduleResolution: "node16", type: "commonjs" },
  esm: { module: "nodenext", moduleResolution: "nodenext", type: "module" },
  bundler: { module: "esnext", moduleResolution: "bundler", type: "module" },
};
type Mode = keyof typeof MODES;

/** Compilers: the current one, and what the current majors were before. */
const COMPILERS: Readonly<Record<string, string>> = {
  "5.9": join(root, "node_modules", "typescript"),
  ...native && {
    "5.2": join(native, "node_modules", "typescript-5"),
    "6.0": join(native, "node_modules", "typescript-6"),
    "7.0": join(native, "node_modules", "typescript-7"),
  },
};

/** A project that has these packages and programs. */
function project(
  name: string,
  mode: Mode,
  packages: Readonly<Record<string, string>>,
  programs: readonly string[],
): string {
  const folder = join(root, "build", "types", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "node_modules", "@types"), { recursive: true });
  const all = {
    "@types/node": join(root, "node_modules", "@types", "node"),
    "undici-types": join(root, "node_modules", "undici-types"),
    ...packages,
  };
  for (const [name, target] of Object.entries(all)) {
    symlinkSync(target, join(folder, "node_modules", name), "dir");
  }
  for (const program of programs) {
    copyFileSync(
      join(root, "test", "types", "programs", program),
      join(folder, program),
    );
  }
  const { type, ...modules } = MODES[mode];
  const json = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), JSON.stringify(value));
  json("package.json", { private: true, type });
  json("tsconfig.json", {
    compilerOptions: {
      ...modules,
      lib: ["es2022"],
      noEmit: true,
      noUncheckedIndexedAccess: true,
      preserveSymlinks: true,
      // Node's are large; ours are looked at by the last test.
      skipLibCheck: true,
      strict: true,
      target: "es2022",
      types: ["node"],
    },
    files: programs,
  });
  return folder;
}

/** What a compiler has to say about a project. */
function compile(compiler: string, folder: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [
      join(COMPILERS[compiler]!, "bin", "tsc"),
      "--project",
      folder,
    ], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (more: string) => text += more);
    child.on("error", reject);
    child.on("close", (code) => resolve(code === 0 ? "" : text || `${code}`));
  });
}

const PROGRAMS = ["usage.ts", "drafts.ts"];
for (const mode of Object.keys(MODES) as Mode[]) {
  for (const compiler of Object.keys(COMPILERS)) {
    // Each mode with one compiler, each compiler in one mode: that takes long enough.
    if (compiler !== "5.9" && mode !== "cjs") continue;
    test(`a program for zeromq, ${mode}, TypeScript ${compiler}`, async () => {
      const packages = { zeromq: root };
      const folder = project(`${mode}-${compiler}`, mode, packages, PROGRAMS);
      assert.is(await compile(compiler, folder), "");
    });
  }
}

const zeromq = native && join(native, "node_modules", "zeromq");

(zeromq === undefined ? test.skip : test)(
  "the programs are right with the native package too",
  async () => {
    const packages = { zeromq: zeromq! };
    const folder = project("native", "bundler", packages, PROGRAMS);
    assert.is(await compile("5.9", folder), "");
  },
);

for (const compiler of Object.keys(COMPILERS)) {
  (zeromq === undefined ? test.skip : test)(
    `both sets of declarations, TypeScript ${compiler}`,
    async () => {
      const folder = project(`both-${compiler}`, "bundler", {
        "zeromq": zeromq!,
        "zeromq-wasm": root,
      }, ["assignable.ts"]);
      assert.is(await compile(compiler, folder), "");
    },
  );
}

test("without the types of Node a frame is a Uint8Array", async () => {
  const folder = project("no-node", "bundler", { "zeromq-wasm": root }, []);
  rmSync(join(folder, "node_modules", "@types"), { recursive: true });
  writeFileSync(
    join(folder, "main.ts"),
    `import { type Message, Pull } from "zeromq-wasm";
    const bytes: Uint8Array = await new Pull().receive().then(([m]) => m!);
    type Same<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false;
    const same: Same<Message, Uint8Array> = true;
    console.log(bytes, same);
    export {};`,
  );
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        ...{ module: "esnext", moduleResolution: "bundler" },
        lib: ["es2022", "dom", "esnext.disposable"],
        noEmit: true,
        strict: true,
        target: "es2022",
        types: [],
      },
      files: ["main.ts"],
    }),
  );
  assert.is(await compile("5.9", folder), "");
});

for (const mode of ["esm", "cjs", "bundler"] as const) {
  test(`without the types of a page, libraries checked, ${mode}`, async () => {
    const packages = { "zeromq-wasm": root };
    const folder = project(`no-dom-${mode}`, mode, packages, []);
    writeFileSync(
      join(folder, "main.ts"),
      `import * as zmq from "zeromq-wasm";
      import { Authenticator } from "zeromq-wasm/auth";
      import { Radio } from "zeromq-wasm/draft";
      import * as draft from "zeromq-wasm/draft.js";
      import { socket } from "zeromq-wasm/v5-compat";
      import * as v5 from "zeromq-wasm/v5-compat.js";
      export async function main(): Promise<void> {
        const [frame] = await new zmq.Pull().receive();
        const text: string | undefined = frame?.toString("latin1");
        const radio: draft.Radio = new Radio();
        const same: typeof v5.socket = socket;
        await new Authenticator().start();
        console.log(text, radio.closed, same("push").type);
      }`,
    );
    const { type: _, ...modules } = MODES[mode];
    const compilerOptions = {
      ...modules,
      lib: ["es2023"],
      noEmit: true,
      preserveSymlinks: true,
      skipLibCheck: false,
      strict: true,
      target: "es2022",
      types: ["node"],
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["main.ts"] }),
    );
    assert.is(await compile("5.9", folder), "");
  });
}

test.run();
