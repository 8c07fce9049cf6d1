/**
 * What the test programs import beside the product's imports (ts/native/imports.ts,
 * whose place in the bundle this file takes): harness/waits.cpp says what each does.
 */
import { errnoOf } from "../../ts/syscall/errno.ts";
import { allocate } from "../../ts/native/allocate.ts";
import {
  Abort,
  type ImportTarget,
  makeImports as makeProductImports,
} from "../../ts/native/imports.ts";
import { Bodies } from "../../ts/syscall/bodies.ts";
import { mkdtempSync, writeSync } from "node:fs";
import { type Fibers, Leave } from "./fibers.ts";

export { Abort, type ImportTarget };

let fibers: Fibers;
let target: ImportTarget;
/** What was prepared: a datagram socket's key and port, or a listener. */
const settled = new Map<string, { key: string; port: number }>();
/** Cases that are not run, with the reason. */
export const skipped: Map<string, string> = new Map();

export function connectTestImports(machine: Fibers): void {
  fibers = machine;
}

const text = (ptr: number, size: number) => target.memory.text(ptr, size);

const test = {
  wait: (check: number, argument: number, ms: number) =>
    fibers.wait(check, argument, ms),
  running: () => Number(fibers.running),
  busy: () => fibers.busy,
  spawn: (fn: number, argument: number) => fibers.spawnC(fn, argument),
  ended: (id: number) => Number(fibers.ended(id)),
  leave() {
    throw new Leave();
  },
  prepare(ptr: number, size: number, backlog: number) {
    const words = text(ptr, size);
    settled.delete(words);
    const { fds } = target;
    const opened = words.startsWith("u")
      ? fds.datagrams.prepare(words)
      : fds.prepare(words, backlog).then(() => ({ key: "", port: 0 }));
    // A listener's failure is kept for listen().
    void opened.catch(() => ({ key: "", port: 0 })).then((result) => {
      settled.set(words, result);
      fibers.pump();
    });
  },
  prepared(ptr: number, size: number) {
    const result = settled.get(text(ptr, size));
    return result ? 1 + result.port : 0;
  },
  taken: (ptr: number, size: number) =>
    Number(!target.fds.datagrams.waits(settled.get(text(ptr, size))!.key)),
  settle(ptr: number, size: number) {
    const words = text(ptr, size);
    const key = settled.get(words)?.key;
    if (key) target.fds.datagrams.settle(key);
    else target.fds.settle(words);
  },
  mkdtemp(ptr: number, size: number) {
    try {
      const made = mkdtempSync(text(ptr, size).replace(/X{6}$/, ""));
      target.memory.bytes.set(new TextEncoder().encode(made), ptr);
      return 0;
    } catch (error) {
      return -errnoOf((error as { code: string }).code);
    }
  },
  selected(ptr: number, size: number) {
    const name = text(ptr, size);
    const reason = skipped.get(name);
    if (reason !== undefined) writeSync(1, `${name}: skipped: ${reason}\n`);
    return Number(reason === undefined);
  },
};

export function makeImports(
  of: ImportTarget,
): Record<string, Record<string, WebAssembly.ImportValue>> {
  // libzmq's programs look at the bytes of messages themselves.
  of.bodies = new Bodies(0, allocate);
  target = of;
  const imports = makeProductImports(of);
  const wasi = imports["wasi_snapshot_preview1"]!;
  const keep = wasi["fd_write"] as (...args: number[]) => number;
  return {
    ...imports,
    test,
    wasi_snapshot_preview1: {
      ...wasi,
      // The product keeps what libzmq says of itself; here it is the test's output.
      fd_write(fd: number, vectors: number, count: number, out: number) {
        for (let i = 0; i < count; i++) {
          const [ptr, size] = target.memory.words.subarray(
            (vectors >> 2) + i * 2,
          );
          writeSync(
            fd === 1 ? 1 : 2,
            target.memory.bytes.slice(ptr!, ptr! + size!),
          );
        }
        return keep(fd, vectors, count, out);
      },
    },
  };
}
