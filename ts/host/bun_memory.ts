/**
 * LAYER 1 on Bun: memory of the C library for large frames.
 *
 * Bun's allocator gives back to the system what is free, every 0.1 s, and each page is then
 * asked for again, and filled with zeros, for the next messages. glibc keeps it. New processes in
 * turn, receiving for 2 s, messages a second before, with this, and on Node: 64 KB 18, 22 and
 * 34 thousand, 1 MB 1.3, 2.1 and 2.9 thousand, 16 MB 20, 49 and 99.
 *
 * Owns the library: opened (2 ms) when frames have taken some megabytes, and never closed, as
 * each piece is given back by its `free` when nothing refers to it any more, in any thread.
 */
import { builtin } from "./node_builtins.ts";

/** What is needed of the module `bun:ffi`. */
export interface BunFfi {
  dlopen(
    library: string,
    symbols: Record<string, { args: string[]; returns: string }>,
  ): {
    symbols: Record<
      "malloc" | "free",
      ((argument: number) => number | null) & { readonly ptr?: number }
    >;
  };
  toBuffer(
    pointer: number,
    offset: number,
    size: number,
    context: number,
    free: number,
  ): Uint8Array;
}

const LIBRARY = "libc.so.6";
/** So many bytes of frames are worth the opening. */
const OPEN_AFTER = 2 ** 23;

/**
 * Once so large a piece was freed, those up to it are kept, 64 MB of them; unless who runs the
 * program has decided otherwise (mallopt(3), M_MMAP_THRESHOLD).
 */
const LARGEST_KEPT = 2 ** 25 - 2 ** 16;

/** Memory of `size` bytes, which may hold anything. Throws a RangeError if there is none. */
type Make = (size: number) => Uint8Array;

/** Undefined where the library is not to be had: on musl, or where nothing may be opened. */
function open(): Make | undefined {
  try {
    const ffi = builtin("bun:ffi");
    const { malloc, free } = ffi.dlopen(LIBRARY, {
      malloc: { args: ["usize"], returns: "ptr" },
      free: { args: ["ptr"], returns: "void" },
    }).symbols;
    const give = free.ptr;
    if (!give) return undefined;
    free(malloc(LARGEST_KEPT) ?? 0); // which may be none
    return (size) => {
      const pointer = malloc(size);
      if (!pointer) throw new RangeError(`no memory for ${size} bytes`);
      return ffi.toBuffer(pointer, 0, size, pointer, give);
    };
  } catch {
    return undefined; // then Bun's memory is as good as it gets
  }
}

/** `Host.largeMemory`, in the library that `find` opens. */
export function largeMemory(
  find: () => Make | undefined = open,
): (size: number) => Uint8Array | undefined {
  let taken = 0;
  let make: Make | undefined;
  return (size) => {
    if (taken < OPEN_AFTER) {
      taken += size;
      if (taken >= OPEN_AFTER) make = find();
      return undefined;
    }
    return make?.(size);
  };
}
