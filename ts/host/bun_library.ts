/**
 * LAYER 1 on Bun: the C library, for memory of large frames, for reads and writes of busy
 * connections, and for connections that are not to be paced.
 *
 * Owns the library: opened (0.3 to 2 ms) once, by who needs it, and never closed, as memory is
 * given back by its `free` when nothing refers to it any more, in any thread.
 */
import type { AdviceCall } from "./huge_pages.ts";
import { builtin } from "./node_builtins.ts";
import type { OptionCalls } from "./pacing.ts";

const NAME = "libc.so.6";
const SYMBOLS = {
  malloc: { args: ["usize"], returns: "ptr" },
  free: { args: ["ptr"], returns: "void" },
  recv: { args: ["i32", "ptr", "usize", "i32"], returns: "i32" },
  readv: { args: ["i32", "ptr", "i32"], returns: "i32" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  madvise: { args: ["ptr", "usize", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
  /** Not called: musl answers to the name too, and has not this. */
  gnu_get_libc_version: { args: [], returns: "ptr" },
} as const;

/** A pointer is a number, and null is none. */
interface Functions extends OptionCalls, AdviceCall {
  malloc(size: number): number | null;
  free: ((pointer: number) => void) & { readonly ptr?: number };
  recv(fd: number, to: Uint8Array, size: number, flags: number): number;
  readv(fd: number, vector: Uint32Array, count: number): number;
  sendmsg(fd: number, message: Uint32Array, flags: number): number;
  socket(family: number, type: number, protocol: number): number;
  connect(fd: number, address: Uint8Array, size: number): number;
  close(fd: number): number;
  __errno_location(): number | null;
}

/** What is needed of the module `bun:ffi`. */
export interface BunFfi {
  dlopen(library: string, symbols: typeof SYMBOLS): { symbols: Functions };
  toBuffer(
    pointer: number,
    offset: number,
    size: number,
    context: number,
    free: number,
  ): Uint8Array;
  ptr(bytes: ArrayBufferView): number;
  read: { i32(pointer: number, offset: number): number };
}

export interface BunLibrary {
  readonly ffi: BunFfi;
  readonly functions: Functions;
}

let library: BunLibrary | undefined;
/** Whether it is not to be had: nobody tries again. */
let refused = process.platform !== "linux";

/** Undefined where it is not to be had: on musl, or where nothing may be opened. */
export function bunLibrary(): BunLibrary | undefined {
  if (library || refused) return library;
  try {
    const ffi = builtin("bun:ffi");
    return library = { ffi, functions: ffi.dlopen(NAME, SYMBOLS).symbols };
  } catch {
    refused = true; // everything works without
    return undefined;
  }
}
