/**
 * The native package, to compare with: installed by npm in a folder of its own, because
 * it has native code, which may not be there for every machine.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** What is installed, under the name it has there. */
const PACKAGES: Readonly<Record<string, string>> = {
  "zeromq": "6.8.0",
  // The current compiler and the two majors before it; the oldest that is supported.
  "typescript-7": "npm:typescript@7.0.2",
  "typescript-6": "npm:typescript@6.0.3",
  "typescript-5": "npm:typescript@5.0.4",
};

// Tests run in the project's folder.
const folder = join(process.cwd(), "build", "packages");

/** Whether the folder has what it should have. */
function isComplete(manifest: string): boolean {
  const file = join(folder, "installed.json");
  return existsSync(file) && readFileSync(file, "utf8") === manifest;
}

/**
 * The folder with the packages, or undefined if they cannot be had: then tests are
 * skipped, or fail where `CI` is set.
 */
export function nativeFolder(): string | undefined {
  const manifest = JSON.stringify({ private: true, dependencies: PACKAGES });
  if (isComplete(manifest)) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), manifest);
  const { status, stderr, error } = spawnSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--no-package-lock"],
    { cwd: folder, encoding: "utf8", timeout: 110_000 },
  );
  if (status === 0) {
    writeFileSync(join(folder, "installed.json"), manifest);
    return folder;
  }
  const why = error?.message ?? stderr;
  if (process.env["CI"]) throw new Error(`npm install failed: ${why}`);
  console.log(`the native package cannot be installed: ${why}`);
  return undefined;
}
