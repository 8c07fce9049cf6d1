/** Projects that use the package, and compilers for them. */
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
import { nativeFolder } from "../support/packages.ts";

export const root = process.cwd();
export const native = nativeFolder();

/** Ways to find modules, and what a program of that kind has in its package.json. */
export const MODES = {
  node10: { module: "commonjs", moduleResolution: "node10", type: "commonjs" },
  cjs: { module: "node16", moduleResolution: "node16", type: "commonjs" },
  esm: { module: "nodenext", moduleResolution: "nodenext", type: "module" },
  bundler: { module: "esnext", moduleResolution: "bundler", type: "module" },
};
export type Mode = keyof typeof MODES;

/** Compilers: the current one, what the current majors were before, and the oldest. */
export const COMPILERS: Readonly<Record<string, string>> = {
  "5.9": join(root, "node_modules", "typescript"),
  ...native && {
    "5.0": join(native, "node_modules", "typescript-5"),
    "6.0": join(native, "node_modules", "typescript-6"),
    "7.0": join(native, "node_modules", "typescript-7"),
  },
};

/** A project that has these packages and programs. */
export function project(
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
      // Node's are large; ours are looked at by checked.node.test.ts.
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
export function compile(compiler: string, folder: string): Promise<string> {
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
