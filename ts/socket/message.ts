/**
 * What frames are made of, in JavaScript.
 */

/** What can be sent as one frame: `null` is an empty one, numbers are sent as text. */
export type MessageLike =
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | string
  | number
  | null;

/**
 * A received frame: a `Buffer` where the runtime has it, else a `Uint8Array`. The type
 * follows: it is `Buffer` for programs that are compiled with the types of Node.
 */
export type Message = typeof globalThis extends
  { Buffer: { isBuffer(value: unknown): value is infer B } } ? B : Uint8Array;

type BufferLike = {
  from(buffer: ArrayBuffer, offset: number, size: number): Message;
  allocUnsafeSlow(size: number): Message;
};
const NativeBuffer = (globalThis as { Buffer?: BufferLike }).Buffer;

const encoder = new TextEncoder();

/** The bytes of a frame; a view of the caller's memory where possible. */
export function toBytes(frame: MessageLike): Uint8Array {
  if (typeof frame === "string") return encoder.encode(frame);
  if (frame === null) return new Uint8Array(0);
  if (frame instanceof Uint8Array) return frame;
  if (ArrayBuffer.isView(frame)) {
    return new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength);
  }
  if (
    frame instanceof ArrayBuffer || frame instanceof SharedArrayBuffer
  ) return new Uint8Array(frame);
  // Throws a TypeError for a symbol.
  return encoder.encode(`${frame}`);
}

/** A received frame in the class that users of the runtime expect. */
export function wrap(
  buffer: ArrayBuffer,
  offset: number,
  size: number,
): Message {
  return NativeBuffer
    ? NativeBuffer.from(buffer, offset, size)
    : new Uint8Array(buffer, offset, size) as Message;
}

/** Memory of its own for a large frame, to be written at once: it may hold anything. */
export function allocate(size: number): Message {
  return NativeBuffer
    ? NativeBuffer.allocUnsafeSlow(size)
    : new Uint8Array(size) as Message;
}

/** One crossing carries what fits here. */
export const BATCH_BYTES = 65536;
/** Frames above this many bytes are copied from or to their own memory, without a detour. */
export const IN_PLACE = 4096;
