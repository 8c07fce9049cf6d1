/** Files of Node, for ipc: those of listeners, and directories for some. */
import { builtin } from "./node_builtins.ts";
import { toHostError } from "./node_errors.ts";
import { onProcess } from "./process_events.ts";
import type { Files } from "./socket_file.ts";

function guard<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw toHostError(what, cause);
  }
}

/** Node's permission model, which is there when it is in force; @types/node may not know it. */
const { permission } = process as {
  permission?: { has(scope: string, path: string): boolean };
};

const files: Files = {
  permits: (path) =>
    !permission ||
    (permission.has("fs.read", path) && permission.has("fs.write", path)),
  absolute(path) {
    try {
      const directory = process.cwd();
      builtin("node:fs").accessSync(`${directory}/.`);
      return `${directory}/${path}`;
    } catch {
      return path; // it is gone, or one above it is closed to us: listening tells
    }
  },
  find: (path) =>
    guard(`look for ${path}`, () => {
      const options = { bigint: true, throwIfNoEntry: false } as const;
      const found = builtin("node:fs").lstatSync(path, options);
      return found && {
        id: `${found.dev} ${found.ino}`,
        isDirectory: found.isDirectory(),
      };
    }),
  rename: (from, to) =>
    guard(
      `rename ${from} to ${to}`,
      () => builtin("node:fs").renameSync(from, to),
    ),
  unlink: (path) =>
    guard(`remove ${path}`, () => builtin("node:fs").unlinkSync(path)),
  atExit: (task) => onProcess("exit", task),
};

/** On Windows paths are names of pipes. */
export const nodeFiles: Files | undefined = process.platform === "win32"
  ? undefined
  : files;

export function makeTempDir(): string {
  const parent = builtin("node:os").tmpdir();
  return guard(`make a directory in ${parent}`, () => {
    const prefix = builtin("node:path").join(parent, "zmq-");
    return builtin("node:fs").mkdtempSync(prefix);
  });
}

export function removeTempDir(target: string): void {
  guard(`remove ${target}`, () => builtin("node:fs").rmdirSync(target));
}
