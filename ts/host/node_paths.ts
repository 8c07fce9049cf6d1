/** Files of Node, for ipc: sockets that are in the way, and directories for some. */
import { HostError } from "./host.ts";
import { hostError } from "./messages.ts";
import { builtin } from "./node_builtins.ts";
import { codeOf, toHostError } from "./node_errors.ts";

export function makeTempDir(): string {
  const parent = builtin("node:os").tmpdir();
  try {
    const prefix = builtin("node:path").join(parent, "zmq-");
    return builtin("node:fs").mkdtempSync(prefix);
  } catch (cause) {
    throw toHostError(`make a directory in ${parent}`, cause);
  }
}

export function remove(target: string): void {
  const fs = builtin("node:fs");
  try {
    const found = fs.lstatSync(target, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw hostError(`remove ${target}`, "EISDIR");
    if (found !== undefined) fs.unlinkSync(target);
  } catch (cause) {
    if (cause instanceof HostError) throw cause;
    if (codeOf(cause) !== "ENOENT") {
      throw toHostError(`remove ${target}`, cause);
    }
  }
}

export function removeTempDir(target: string): void {
  try {
    builtin("node:fs").rmdirSync(target);
  } catch (cause) {
    throw toHostError(`remove ${target}`, cause);
  }
}
