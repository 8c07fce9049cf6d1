/** LAYER 1 on Deno: files, for ipc. */
import { deno, toError } from "./deno_globals.ts";
import { stateOf } from "./deno_permissions.ts";
import { HostError } from "./host.ts";
import { onProcess } from "./process_events.ts";
import type { Files } from "./socket_file.ts";

export function guard<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof HostError) throw cause;
    throw toError(what, cause);
  }
}

const files: Files = {
  // Without all of `net` listening fails or asks, and should do so by the name the user knows.
  permits: (path) =>
    stateOf({ name: "net" }) === "granted" &&
    stateOf({ name: "read", path }) === "granted" &&
    stateOf({ name: "write", path }) === "granted",
  absolute(path) {
    try {
      const directory = deno.cwd();
      const isOpen = stateOf({ name: "read", path: directory }) === "granted";
      if (isOpen) deno.lstatSync(`${directory}/.`);
      return `${directory}/${path}`;
    } catch {
      return path; // it is gone, or one above it is closed to us: listening tells
    }
  },
  find: (path) =>
    guard(`look for ${path}`, () => {
      try {
        const { dev, ino, isDirectory } = deno.lstatSync(path);
        return { id: `${dev} ${ino}`, isDirectory };
      } catch (cause) {
        if ((cause as Error).name === "NotFound") return undefined;
        throw cause;
      }
    }),
  rename: (from, to) =>
    guard(`rename ${from} to ${to}`, () => deno.renameSync(from, to)),
  unlink: (path) => guard(`remove ${path}`, () => deno.removeSync(path)),
  atExit: (task) => onProcess("exit", task),
};

/** On Windows paths are no files. */
export const denoFiles = (): Files | undefined =>
  deno.build.os === "windows" ? undefined : files;
