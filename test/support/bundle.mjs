// How TypeScript of the tests becomes a module that Node, Deno and Bun run.

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The project's folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Bundles `entry` as `outfile`; the library stays outside. `more` are options of esbuild. */
export function bundle(entry, outfile, more = {}) {
  return build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    sourcemap: "inline",
    external: ["zeromq-wasm", "zeromq-wasm/*"],
    ...more,
  });
}
