/** Runs the tests of this folder against the native package. */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import type { Plugin } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { nativeFolder } from "../support/packages.ts";

// Not bundled: it looks for its program beside itself.
const { build } = createRequire(join(process.cwd(), "package.json"))(
  "esbuild",
) as typeof import("esbuild");

const test = suite("native");

const folder = nativeFolder();
const zeromq = folder && join(folder, "node_modules", "zeromq");
const ENTRIES: Readonly<Record<string, string>> = {
  "zeromq-wasm": "lib/index.js",
  "zeromq-wasm/draft": "draft.js",
  "zeromq-wasm/v5-compat": "v5-compat.js",
};

/**
 * What the tests print. How the process ends does not count: after a constructor that
 * failed it crashes, and some observers keep it alive.
 */
function output(file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const child = spawn(process.execPath, ["--enable-source-maps", file], {
      env: { ...process.env, ZEROMQ_NATIVE: zeromq },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 40_000);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (more: string) => {
        text += more;
        if (/^ +Duration:.*\n/m.test(text)) child.kill("SIGKILL");
      });
    }
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

const swap: Plugin = {
  name: "native",
  setup(build) {
    build.onResolve({ filter: /^zeromq-wasm/ }, ({ path }) => ({
      path: join(zeromq!, ENTRIES[path]!),
      external: true,
    }));
  },
};

for (const file of readdirSync(join(process.cwd(), "test", "parity"))) {
  if (!file.endsWith(".test.ts") || file.includes(".node.")) continue;
  (zeromq === undefined ? test.skip : test)(file, async () => {
    const outfile = join(
      process.cwd(),
      "build",
      "test",
      "native",
      `${file}.mjs`,
    );
    await build({
      entryPoints: [join("test", "parity", file)],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "es2022",
      sourcemap: "inline",
      plugins: [swap],
    });
    const text = await output(outfile);
    const count = (word: string) =>
      Number(new RegExp(`^ +${word}: +(\\d+)`, "m").exec(text)?.[1]);
    assert.ok(count("Total") > 0, text);
    assert.is(count("Passed"), count("Total"), text);
  });
}

test.run();
