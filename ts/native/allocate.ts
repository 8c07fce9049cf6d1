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
