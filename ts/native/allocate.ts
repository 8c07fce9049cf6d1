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
