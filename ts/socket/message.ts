/**
 * What frames are made of, in JavaScript.
 */
import { encoder } from "../host/text.ts";
import { allocate } from "../native/allocate.ts";
import { sizeOf } from "../native/memory.ts";

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
 * follows: it is `Buffer` for programs that are compiled with the types of Node. It begins at a
 * multiple of 8 bytes in its `buffer`, which others may share, so that numbers can be read from
 * there.
 */
export type Message = typeof globalThis extends
  { Buffer: { isBuffer(value: unknown): value is infer B } } ? B : Uint8Array;

/** A step of an iteration over messages. */
export type Step = IteratorResult<Message[], undefined>;
export const END: Step = { value: undefined, done: true };

type BufferLike = {
  from(buffer: ArrayBufferLike, offset: number, size: number): Message;
  allocUnsafe(size: number): Message;
  isBuffer(value: unknown): boolean;
  readonly [Symbol.species]?: unknown;
  readonly prototype: {
    copy(target: Uint8Array, to: number, start: number, end: number): number;
  };
};
const NativeBuffer = (globalThis as { Buffer?: BufferLike }).Buffer;

interface View {
  new (buffer: ArrayBufferLike, offset: number, size: number): Message;
  new (size: number): Message;
}

/**
 * The class of all `Buffer`s, by which a view of one is made: without the looking at arguments
 * of `Buffer.from`, which took as long again (Node 90 to 58 ns, Deno 200 to 48, Bun 130 to 74).
 */
function viewClass(): View | undefined {
  const view = (NativeBuffer?.[Symbol.species] ?? Uint8Array) as View;
  try {
    const made: unknown = new view(new ArrayBuffer(8), 1, 2);
    const { length, byteOffset } = made as Uint8Array;
    const is = length === 2 && byteOffset === 1 &&
      (!NativeBuffer || NativeBuffer.isBuffer(made)) &&
      new view(3).length === 3;
    return is ? view : undefined;
  } catch {
    return undefined; // not to be called like that: then the documented way
  }
}

const NativeView = viewClass();

const EMPTY = new Uint8Array(0);
const PLAIN: unknown = Uint8Array.prototype,
  BUFFER: unknown = NativeBuffer?.prototype;

/**
 * The bytes of a frame; a view of the caller's memory where possible. What was transferred away
 * is empty. Throws a TypeError for a DataView of that. An object's `toString` may do anything
 * meanwhile: close the socket, send, transfer other frames away.
 */
export function toBytes(frame: MessageLike): Uint8Array {
  if (typeof frame === "string") return encoder.encode(frame);
  if (frame === null) return EMPTY;
  if (ArrayBuffer.isView(frame)) {
    // Whatever a class of the program's says its length is, libzmq's memory counts on ours.
    const prototype: unknown = Object.getPrototypeOf(frame);
    if (prototype === BUFFER || prototype === PLAIN) {
      const bytes = frame as Uint8Array;
      return bytes.length === 0 && sizeOf(bytes) === 0 ? EMPTY : bytes;
    }
    return frame.byteLength === 0
      ? EMPTY
      : new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength);
  }
  if (isBuffer(frame)) {
    return frame.byteLength === 0 ? EMPTY : new Uint8Array(frame);
  }
  // Throws a TypeError for a symbol.
  return encoder.encode(`${frame}`);
}

/** Also one of another realm, of which no class here knows. */
function isBuffer(frame: unknown): frame is ArrayBuffer | SharedArrayBuffer {
  if (typeof frame !== "object") return false;
  if (frame instanceof ArrayBuffer) return true;
  const tag = Object.prototype.toString.call(frame);
  if (!tag.endsWith("ArrayBuffer]")) return false;
  // Where a page may not share memory, there is no such class.
  const { SharedArrayBuffer } = globalThis as { SharedArrayBuffer?: unknown };
  return [ArrayBuffer, SharedArrayBuffer].some((type) => {
    if (type === undefined) return false;
    const { prototype } = type as { prototype: object };
    try {
      // The getter of its length takes nothing else.
      return Reflect.get(prototype, "byteLength", frame) !== undefined;
    } catch {
      return false;
    }
  });
}

/** A received frame in the class that users of the runtime expect. */
export function wrap(
  buffer: ArrayBufferLike,
  offset: number,
  size: number,
): Message {
  return NativeView
    ? new NativeView(buffer, offset, size)
    : NativeBuffer!.from(buffer, offset, size);
}

/** A received frame by itself, of no more bytes than `Host.ownBytes`. */
export function ownCopy(bytes: Uint8Array, at: number, size: number): Message {
  const frame = NativeView ? new NativeView(size) : allocate(size) as Message;
  if (size > FEW_BYTES && NativeBuffer) {
    NativeBuffer.prototype.copy.call(bytes, frame, 0, at, at + size);
  } else {
    for (let i = 0; i < size; i++) frame[i] = bytes[at + i]!;
  }
  return frame;
}

/**
 * A copy of a part of `bytes`. A small one lies in the memory that the runtime has for
 * buffers of a few: to make a buffer of its own for 1 KB took 1.4 µs, this takes 0.5. Others are
 * made by `make`.
 */
export function copyOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  make: (size: number) => Uint8Array,
): Uint8Array {
  const size = end - start;
  const batch = NativeBuffer && size <= POOLED_BYTES
    ? NativeBuffer.allocUnsafe(size)
    : make(size);
  batch.set(bytes.subarray(start, end));
  return batch;
}

/** So few bytes are copied one by one: a call takes 25 to 50 ns. */
const FEW_BYTES = 32;
/** What is kept of so much keeps `Buffer.poolSize` with it: 8 KB, or 64 on Node 24. */
const POOLED_BYTES = 2048;
/** One crossing carries what fits here. */
export const BATCH_BYTES = 65536;
/** Frames above this many bytes are copied from or to their own memory, without a detour. */
export const IN_PLACE = 4096;
