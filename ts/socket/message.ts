/**
 * Messages on their way into and out of the module.
 */
import type { Reactor } from "../reactor/reactor.ts";
import { errnoOf } from "../syscall/errno.ts";

/** What can be sent as one frame: `null` is an empty one, numbers are sent as text. */
export type MessageLike =
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | string
  | number
  | null;

type BufferLike = {
  from(buffer: ArrayBuffer, offset: number, size: number): Uint8Array;
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
  return encoder.encode(String(frame));
}

/** Frames above this many bytes are written into the message itself, without a detour. */
const IN_PLACE = 4096;
const DONTWAIT = 1, SNDMORE = 2;
const MORE = 0x80000000, BY_POINTER = 0x40000000, SIZE = 0x3fffffff;
/** One crossing fetches what fits here. */
const BATCH_BYTES = 65536;

/** One per context: the scratch memory through which messages cross. */
export class MessagePort {
  readonly #reactor: Reactor;
  readonly #scratch: number;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    this.#scratch = reactor.instance.memory.alloc(BATCH_BYTES);
  }

  /** Sends one frame without waiting. Returns a negative errno, or its size. */
  sendFrame(socket: number, frame: MessageLike, more: boolean): number {
    const { memory } = this.#reactor.instance;
    const bytes = toBytes(frame);
    const size = bytes.length;
    const flags = DONTWAIT | (more ? SNDMORE : 0);
    if (size <= IN_PLACE) {
      if (size > 0) memory.bytes.set(bytes, this.#scratch);
      const rc = this.#reactor.call(
        "zw_send",
        socket,
        this.#scratch,
        size,
        flags,
      );
      return rc;
    }
    const msg = this.#reactor.call("zw_msg_new", size) >>> 0;
    if (msg === 0) return -errnoOf("ENOMEM");
    const data = this.#reactor.call("zmq_msg_data", msg) >>> 0;
    memory.bytes.set(bytes, data);
    const rc = this.#reactor.call("zw_msg_send", msg, socket, flags);
    if (rc < 0) {
      this.#reactor.call("zw_msg_free", msg);
      return rc;
    }
    return size;
  }

  /**
   * Receives up to `max` messages into `queue` without waiting. Returns a negative
   * errno, or how many whole messages were added. `partial` holds the frames of a
   * message whose rest comes with the next call.
   */
  receive(
    socket: number,
    queue: Uint8Array[][],
    partial: Uint8Array[],
    max: number,
  ): number {
    const used = this.#reactor.call(
      "zw_recv",
      socket,
      this.#scratch,
      BATCH_BYTES,
      max,
    );
    if (used <= 0) return used;
    const { memory } = this.#reactor.instance;
    // One copy for the whole batch: its frames are views of it.
    const batch = memory.bytes.slice(this.#scratch, this.#scratch + used);
    const headers = new Uint32Array(batch.buffer);
    let frames = partial.splice(0);
    let count = 0;
    for (let at = 0; at < used;) {
      const header = headers[at >> 2]!;
      let frame: Uint8Array;
      if (header & BY_POINTER) {
        frame = this.#take(headers[(at >> 2) + 1]!);
        at += 8;
      } else {
        const size = header & SIZE;
        frame = wrap(batch.buffer, at + 4, size);
        at += 4 + ((size + 3) & ~3);
      }
      frames.push(frame);
      if (!(header & MORE)) {
        queue.push(frames);
        frames = [];
        count++;
      }
    }
    partial.push(...frames);
    return count;
  }

  #take(msg: number): Uint8Array {
    const data = this.#reactor.call("zmq_msg_data", msg) >>> 0;
    const size = this.#reactor.call("zmq_msg_size", msg) >>> 0;
    const copy = this.#reactor.instance.memory.bytes.slice(data, data + size);
    this.#reactor.call("zw_msg_free", msg);
    return wrap(copy.buffer, 0, size);
  }

  dispose(): void {
    if (!this.#reactor.instance.dead) {
      this.#reactor.instance.memory.free(this.#scratch);
    }
  }
}

function wrap(buffer: ArrayBuffer, offset: number, size: number): Uint8Array {
  return NativeBuffer
    ? NativeBuffer.from(buffer, offset, size)
    : new Uint8Array(buffer, offset, size);
}
