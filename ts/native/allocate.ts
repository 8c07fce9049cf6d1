type BufferLike = { allocUnsafeSlow(size: number): Uint8Array };
const NativeBuffer = (globalThis as { Buffer?: BufferLike }).Buffer;

/**
 * Memory of its own for a large frame, of the class that users of the runtime expect; to be
 * written at once, for it may hold anything. Throws a RangeError when there is none.
 */
export function allocate(size: number): Uint8Array {
  if (returned) keepFrom(size);
  return NativeBuffer
    ? NativeBuffer.allocUnsafeSlow(size)
    : new Uint8Array(size);
}

/** Smaller pieces come and go without the system. */
const LARGE = 32768;
/** The largest that changes it is of 32 MiB, with what the C library puts before it. */
const KEPT = 2 ** 25 - 2 ** 16;
/** Whether what is freed goes back to the system; undefined until a host says that it does. */
let returned: boolean | undefined;

/**
 * From the first large piece on, has memory that was freed kept for those to come: see
 * `Host.returnsMemory`. The largest piece that was freed decides how much; this one is never
 * written to, so it takes no memory.
 */
export function keepMemory(): void {
  returned ??= true;
}

function keepFrom(size: number): void {
  if (size < LARGE) return;
  returned = false;
  try {
    new ArrayBuffer(KEPT);
  } catch {
    // Nobody waits for it: where there is no room, memory is given back as before.
  }
}

/** The garbage while it is made: what nobody could see would not be made. */
export let garbage: unknown[] | undefined;

/**
 * So many elements, 2.4 MB, lie apart from other new objects, and two of them are more than
 * the place for such takes: then what is new is looked at.
 */
const ELEMENTS = 300_000;

/**
 * The same, with some garbage after every `often` bytes: see `Host.marksEarly`. Deno receives
 * frames of 1 MB with 3 collections of all that lives instead of 35 in 1.5 s, and 2083 a second
 * instead of 1385; of 300 KB 4900 instead of 3740. (The same memory as small garbage, all the
 * time, grew the room for what is new, up to where it was looked at too late.)
 */
export function allocateWithGarbage(
  often: number,
): (size: number) => Uint8Array {
  let since = 0;
  return (size) => {
    since += size;
    if (since >= often) {
      since = 0;
      garbage = new Array(ELEMENTS);
      garbage = undefined;
    }
    return allocate(size);
  };
}
