/**
 * Messages on their way into and out of the module.
 */
import { constants } from "zeromq-wasm:constants";
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

/** A received frame: a `Buffer` where the runtime has it, else a `Uint8Array`. */
export type Message = Uint8Array;

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
  // Throws a TypeError for a symbol.
  return encoder.encode(`${frame}`);
}

const EAGAIN = -errnoOf("EAGAIN");
const ENOMEM = -errnoOf("ENOMEM");
const { ZMQ_DONTWAIT } = constants;
/** Frames above this many bytes are written into the message itself, without a detour. */
const IN_PLACE = 4096;
/** Headers of packed frames, see zw_recv and zw_parcel_new in wasm/api.cpp. */
const MORE = 0x80000000, BY_POINTER = 0x40000000, SIZE = 0x3fffffff;
const INLINE = 0x80000000;
/** More than this the module cannot address. */
const MOST_BYTES = 0x7fffffff;
/** One crossing carries what fits here. */
const BATCH_BYTES = 65536;

/** A message in the module's memory that waits for room. `free` it once. */
export class Parcel {
  constructor(
    readonly port: MessagePort,
    readonly pointer: number,
    /** Bytes of all frames. */
    readonly size: number,
  ) {}

  /** Sends it; returns 0 or more, or a negative errno: then it can be tried again. */
  send(socket: number): number {
    return this.port.reactor.call("zw_parcel_send", this.pointer, socket);
  }

  free(): void {
    const { reactor } = this.port;
    if (!reactor.instance.dead) reactor.call("zw_parcel_free", this.pointer);
  }
}

/** One per context: the scratch memory through which messages cross. */
export class MessagePort {
  readonly reactor: Reactor;
  readonly #scratch: number;
  /** What the last `send` could not send yet. */
  #unsent: Parcel | undefined;

  constructor(reactor: Reactor) {
    this.reactor = reactor;
    this.#scratch = reactor.instance.memory.alloc(BATCH_BYTES);
  }

  /**
   * Sends all frames of a message without waiting, or none. Returns its bytes, or a
   * negative errno; after -EAGAIN `unsent` has the message.
   */
  send(socket: number, frames: readonly MessageLike[]): number {
    const { reactor } = this;
    if (frames.length === 1) {
      const bytes = toBytes(frames[0]!);
      const size = bytes.length;
      if (size <= IN_PLACE) {
        reactor.instance.memory.bytes.set(bytes, this.#scratch);
        const rc = reactor.call(
          "zw_send",
          socket,
          this.#scratch,
          size,
          ZMQ_DONTWAIT!,
        );
        if (rc === EAGAIN) this.#unsent = this.#pack([bytes]);
        return rc;
      }
    }
    const parcel = this.#pack(frames.map(toBytes));
    if (!parcel) return ENOMEM;
    const rc = parcel.send(socket);
    if (rc === EAGAIN) this.#unsent = parcel;
    else parcel.free();
    return rc < 0 ? rc : parcel.size;
  }

  /** The message of the last `send`, which returned -EAGAIN; the caller's to free. */
  unsent(): Parcel {
    const parcel = this.#unsent;
    this.#unsent = undefined;
    if (!parcel) throw new RangeError("no memory for a message that waits");
    return parcel;
  }

  /** Copies frames into the module: small ones in one crossing, large ones in place. */
  #pack(frames: readonly Uint8Array[]): Parcel | undefined {
    const { memory } = this.reactor.instance;
    const count = frames.length;
    const words = count * 4;
    let size = 0;
    for (const frame of frames) size += frame.length;
    if (size > MOST_BYTES) return undefined;
    const room = words > BATCH_BYTES ? memory.alloc(words) : this.#scratch;
    const end = room + Math.max(words, BATCH_BYTES) - words;
    const apart: number[] = [];
    let at = room;
    for (let i = 0; i < count; i++) {
      const frame = frames[i]!;
      const padded = (frame.length + 3) & ~3;
      // Each later frame still needs its word.
      const inline = frame.length <= IN_PLACE && at + padded <= end + i * 4;
      memory.words[at >> 2] = inline ? frame.length | INLINE : frame.length;
      at += 4;
      if (inline) {
        memory.bytes.set(frame, at);
        at += padded;
      } else apart.push(i);
    }
    const pointer = this.reactor.call("zw_parcel_new", room, count) >>> 0;
    if (room !== this.#scratch) memory.free(room);
    if (pointer === 0) return undefined;
    for (const i of apart) {
      const data = this.reactor.call("zw_parcel_data", pointer, i) >>> 0;
      memory.bytes.set(frames[i]!, data);
    }
    return new Parcel(this, pointer, size);
  }

  /**
   * Receives up to `max` messages into `queue` without waiting. Returns a negative
   * errno, or how many whole messages were added. `partial` holds the frames of a
   * message whose rest comes with the next call.
   */
  receive(
    socket: number,
    queue: Message[][],
    partial: Message[],
    max: number,
  ): number {
    for (;;) {
      const used = this.reactor.call(
        "zw_recv",
        socket,
        this.#scratch,
        BATCH_BYTES,
        max,
      );
      if (used <= 0) return used;
      const count = this.#unpack(used, queue, partial);
      // A message may be larger than a batch, and nothing announces its rest.
      if (count > 0) return count;
    }
  }

  /** Takes what `zw_recv` wrote; returns how many messages are whole now. */
  #unpack(used: number, queue: Message[][], partial: Message[]): number {
    const { memory } = this.reactor.instance;
    // One copy for the whole batch: its frames are views of it.
    const batch = memory.bytes.slice(this.#scratch, this.#scratch + used);
    const headers = new Uint32Array(batch.buffer);
    let frames = partial.splice(0);
    let count = 0;
    for (let at = 0; at < used;) {
      const header = headers[at >> 2]!;
      let frame: Message;
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
    for (const frame of frames) partial.push(frame);
    return count;
  }

  #take(msg: number): Message {
    const { reactor } = this;
    const data = reactor.call("zmq_msg_data", msg) >>> 0;
    const size = reactor.call("zmq_msg_size", msg) >>> 0;
    const copy = reactor.instance.memory.bytes.slice(data, data + size);
    reactor.call("zw_msg_free", msg);
    return wrap(copy.buffer, 0, size);
  }
}

function wrap(buffer: ArrayBuffer, offset: number, size: number): Message {
  return NativeBuffer
    ? NativeBuffer.from(buffer, offset, size)
    : new Uint8Array(buffer, offset, size);
}
