/**
 * LAYER 1 on Node and Bun: reads and writes by the descriptor of a socket, which never wait.
 */
import type * as net from "node:net";
import { type Calls, libraryCalls } from "./bun_calls.ts";
import { builtin } from "./node_builtins.ts";
import { codeOf } from "./node_errors.ts";

/** What is below a socket or a server of node:net. Not public: any of it may be missing. */
interface Handle {
  readonly fd?: unknown;
  pause?(): void;
  resume?(): void;
}

export function handleOf(owner: net.Socket | net.Server): Handle | undefined {
  return (owner as unknown as { _handle?: Handle | null })._handle ?? undefined;
}

/** The descriptor; undefined where it is not told, as by older Buns. */
export function descriptorOf(
  owner: net.Socket | net.Server,
): number | undefined {
  const fd = handleOf(owner)?.fd;
  return typeof fd === "number" && fd >= 0 ? fd : undefined;
}

/** So many calls on Bun are worth it to open a library for those to come. */
const OPEN_AFTER = 1000;
let left = "Bun" in globalThis ? OPEN_AFTER : Infinity;
let better: Calls | undefined;

function count(): void {
  if (--left === 0) better = libraryCalls();
}

/** See pacing.ts. False before a library is open: then it may be possible later. */
export function unpaceNow(fd: number): boolean {
  better?.unpace(fd);
  return left <= 0 || left === Infinity;
}

/** What a read comes to that failed: -1 if only nothing is there. */
function nothing(cause: unknown): -1 {
  if (codeOf(cause) !== "EAGAIN") throw cause;
  return -1;
}

/**
 * Reads what is there, up to the size of `place`. Returns how much: 0 at the end, and -1 if
 * nothing is there. Throws what else it fails with.
 */
export function readNow(fd: number, place: Uint8Array): number {
  if (better) return better.read(fd, place);
  count();
  try {
    return builtin("node:fs").readSync(fd, place);
  } catch (cause) {
    return nothing(cause);
  }
}

/** `readNow` to a place after the other. */
export function readAllNow(fd: number, places: readonly Uint8Array[]): number {
  if (better) return better.readAll(fd, places);
  count();
  try {
    return builtin("node:fs").readvSync(fd, places);
  } catch (cause) {
    return nothing(cause);
  }
}

/** Writes what there is room for; 0 also where that fails: another write fails as well. */
export function writeAllNow(fd: number, pieces: readonly Uint8Array[]): number {
  if (better) return better.writeAll(fd, pieces);
  count();
  try {
    return builtin("node:fs").writevSync(fd, pieces);
  } catch {
    return 0;
  }
}
