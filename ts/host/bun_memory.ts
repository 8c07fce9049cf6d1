/**
 * LAYER 1 on Bun: memory of the C library for large frames.
 *
 * Bun's allocator gives back to the system what is free, every 0.1 s, and each page is then
 * asked for again, and filled with zeros, for the next messages. glibc keeps it. New processes in
 * turn, receiving for 2 s, messages a second before, with this, and on Node: 64 KB 18, 22 and
 * 34 thousand, 1 MB 1.3, 2.1 and 2.9 thousand, 16 MB 20, 49 and 99.
 */
import { type BunLibrary, bunLibrary } from "./bun_library.ts";
import { adviseHuge, LEAST_HUGE } from "./huge_pages.ts";

/** So many bytes of frames are worth the opening. */
const OPEN_AFTER = 2 ** 23;

/**
 * Once so large a piece was freed, those up to it are kept, 64 MB of them; unless who runs the
 * program has decided otherwise (mallopt(3), M_MMAP_THRESHOLD).
 */
const LARGEST_KEPT = 2 ** 25 - 2 ** 16;

/** Memory of `size` bytes, which may hold anything. Throws a RangeError if there is none. */
type Make = (size: number) => Uint8Array;

/** Undefined where the library is not to be had: then Bun's memory is as good as it gets. */
export function makerIn(library: BunLibrary | undefined): Make | undefined {
  const give = library?.functions.free.ptr;
  if (!library || !give) return undefined;
  const { ffi, functions } = library;
  const { malloc, free } = functions;
  // Before Bun 1.4 what has a function of C to free it has no ArrayBuffer.
  const probe = malloc(1);
  if (!probe || !ffi.toBuffer(probe, 0, 1, probe, give).buffer) {
    return undefined;
  }
  free(malloc(LARGEST_KEPT) ?? 0); // which may be none
  return (size) => {
    const pointer = malloc(size);
    if (!pointer) throw new RangeError(`no memory for ${size} bytes`);
    if (size >= LEAST_HUGE) adviseHuge(pointer, size, functions);
    return ffi.toBuffer(pointer, 0, size, pointer, give);
  };
}

/** `Host.largeMemory`, in the library that `find` opens. */
export function largeMemory(
  find: () => Make | undefined = () => makerIn(bunLibrary()),
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
