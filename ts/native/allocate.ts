type BufferLike = { allocUnsafeSlow(size: number): Uint8Array };
const NativeBuffer = (globalThis as { Buffer?: BufferLike }).Buffer;

/**
 * Memory of its own for a large frame, of the class that users of the runtime expect; to be
 * written at once, for it may hold anything. Throws a RangeError when there is none.
 */
export function allocate(size: number): Uint8Array {
  return NativeBuffer
    ? NativeBuffer.allocUnsafeSlow(size)
    : new Uint8Array(size);
}

/** The garbage made last: what nobody could see would not be made. */
export let garbage: unknown[];

/** Bytes of memory for each element of garbage, which takes 8. */
const BYTES_PER_ELEMENT = 64;
/** In larger ones the engine has each in a place of its own. */
const MOST_ELEMENTS = 8192;

/**
 * The same, and some garbage: see `Host.marksEarly`. With an eighth of the size there were 5
 * collections of all that lives where there had been 37, and 13.0 k/s of 64 KB instead of 10.9.
 */
export function allocateWithGarbage(size: number): Uint8Array {
  let elements = Math.ceil(size / BYTES_PER_ELEMENT);
  for (; elements > 0; elements -= MOST_ELEMENTS) {
    garbage = new Array(Math.min(elements, MOST_ELEMENTS));
  }
  return allocate(size);
}
