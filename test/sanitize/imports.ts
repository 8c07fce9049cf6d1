/**
 * What the sanitizing module imports beside the product's imports
 * (ts/native/imports.ts, whose place in the bundle this file takes).
 */
import { allocate } from "../../ts/native/allocate.ts";
import {
  Abort,
  type ImportTarget,
  makeImports as makeProductImports,
} from "../../ts/native/imports.ts";
import { Bodies } from "../../ts/syscall/bodies.ts";

export { Abort, type ImportTarget };

type Call = (...args: number[]) => number;

/** Calls that have the host read or write memory: where their pointer and size are. */
const LENT: Record<string, readonly [number, number]> = {
  random: [0, 1],
  send: [1, 2],
  read: [1, 2],
  sendto: [1, 2],
  recvfrom: [1, 2],
};

export function makeImports(
  target: ImportTarget,
): Record<string, Record<string, WebAssembly.ImportValue>> {
  // The sanitizer has a memcpy of its own, which knows of no bodies.
  target.bodies = new Bodies(0, allocate);
  const imports = makeProductImports(target);
  for (const [name, [pointer, size]] of Object.entries(LENT)) {
    const call = imports.host![name] as Call;
    imports.host![name] = (...args: number[]) => {
      const bad = target.memory.poisoned(args[pointer]!, args[size]!);
      if (bad) {
        const text = `AddressSanitizer: host_${name} (${args}): bad at ${bad}`;
        console.error(text, new Error().stack);
        throw new Abort(text);
      }
      return call(...args);
    };
  }
  const wasi = imports.wasi_snapshot_preview1!;
  const write = wasi.fd_write as Call;
  // The end of a report is not enough.
  wasi.fd_write = (...args: number[]) => {
    const before = target.stderr;
    target.stderr = "";
    const result = write(...args);
    console.error(target.stderr.trimEnd());
    target.stderr = (before + target.stderr).slice(-2000);
    return result;
  };
  const exit = imports.host!.exit as Call;
  imports.host!.exit = (code: number) => {
    console.error(`AddressSanitizer: exit ${code}`, new Error().stack);
    return exit(code);
  };
  wasi.fd_read = () => 8;
  // How the sanitizer asks where it is, which the stack above says.
  const nothing = () => 0;
  imports.env = new Proxy<Record<string, WebAssembly.ImportValue>>({}, {
    get: (own, name) => own[String(name)] ?? nothing,
  });
  return imports;
}
