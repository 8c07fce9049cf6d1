// What a bundle needs so that it works with a module that has sanitizers.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The sizes of memory that the module was linked with. */
const CHANGES = {
  "ts/native/instance.ts": [
    [
      "FIRST_PAGES = 64, MOST_PAGES = 32768",
      "FIRST_PAGES = 4096, MOST_PAGES = 14336",
    ],
    ["env: { memory }", "env: Object.assign(imports.env!, { memory })"],
    // A limit is not one for what the sanitizer needs beside.
    ["Math.max(wanted, FIRST_PAGES)", "Math.min(wanted + 8192, MOST_PAGES)"],
    ["zw_limit_memory!(maximum *", "zw_limit_memory!(Math.min(wanted, 6144) *"],
  ],
  "ts/native/memory.ts": [
    [
      "  free(pointer: number): void {",
      `  poisoned(pointer: number, size: number): number {
    return this.#exports.__asan_region_is_poisoned!(pointer, size);
  }

  free(pointer: number): void {`,
    ],
  ],
};

/** For esbuild: puts that module, and what it needs, in the place of the product's. */
export const plugin = {
  name: "sanitizing module",
  setup(build) {
    build.onResolve(
      { filter: /\/imports\.ts$/ },
      ({ importer }) =>
        /ts\/native\/instance\.ts$|test\/libzmq\/imports\.ts$/.test(importer)
          ? { path: join(here, "imports.ts") }
          : undefined,
    );
    for (const [file, changes] of Object.entries(CHANGES)) {
      build.onLoad({ filter: new RegExp(`${file}$`) }, ({ path }) => {
        let contents = readFileSync(path, "utf8");
        for (const [from, to] of changes) {
          if (!contents.includes(from)) throw new Error(`${file}: no ${from}`);
          contents = contents.replace(from, to);
        }
        return { contents, loader: "ts" };
      });
    }
  },
};
