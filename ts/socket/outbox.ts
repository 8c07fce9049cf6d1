/**
 * Messages on their way into the module.
 */
import * as C from "zeromq-wasm:constants";
import { outOfMemory } from "../errors.ts";
import type { Reactor } from "../reactor/reactor.ts";
import { SMALLEST_BODY } from "../syscall/bodies.ts";
import { errnoOf } from "../syscall/errno.ts";
import { BATCH_BYTES, IN_PLACE, type MessageLike, toBytes } from "./message.ts";
import { EAGAIN, EFSM } from "./parking.ts";

/** Whom a message of a draft socket goes to. */
export interface Recipient {
  /** The peer of a Server. */
  routingId?: number;
  /** The group of a Radio. */
  group?: Uint8Array | string;
}

const ENOMEM = -errnoOf("ENOMEM");
/** In the header of a frame: its bytes follow (zw_parcel_new in wasm/messages.cpp). */
const INLINE = 0x80000000;
/** A word that is no header: the size and the address of a body follow. */
const OUTSIDE = 0xffffffff;
/** More than this the module cannot address. */
const MOST_BYTES = 0x7fffffff;

/** A message in the module's memory that waits for room. `free` it once. */
export class Parcel {
  constructor(
    readonly port: Outbox,
    readonly pointer: number,
    /** Bytes of all frames. */
    readonly size: number,
  ) {}

  /** Sends it; returns 0 or more, or a negative errno: then it can be tried again. */
  send(socket: number): number {
    return this.port.reactor.call("zw_parcel_send", this.pointer, socket);
  }

  /** Says whom a Server, or which group a Radio, sends it to. Returns 0 or a negative errno. */
  address({ routingId, group }: Recipient): number {
    const { reactor } = this.port;
    if (group === undefined) {
      return reactor.call("zw_parcel_address", this.pointer, routingId ?? 0, 0);
    }
    const { memory } = reactor.instance;
    const name = toBytes(group);
    return memory.withBytes(
      Uint8Array.of(...name, 0),
      (text) => reactor.call("zw_parcel_address", this.pointer, 0, text),
    );
  }

  free(): void {
    const { reactor } = this.port;
    if (!reactor.instance.dead) reactor.call("zw_parcel_free", this.pointer);
  }
}

/** One per context: the scratch memory through which messages cross. */
export class Outbox {
  readonly reactor: Reactor;
  /** Room for one crossing. */
  readonly scratch: number;
  /** Whether the last `send` has lent frames. */
  lent = false;
  /** What the last `send` could not send yet. */
  #unsent: Parcel | undefined;

  constructor(reactor: Reactor) {
    this.reactor = reactor;
    this.scratch = reactor.instance.memory.alloc(BATCH_BYTES);
  }

  /**
   * Sends all frames of a message without waiting, or none. Returns its bytes, or a
   * negative errno; after -EAGAIN or -EFSM `unsent` has the message. If it `lends` them, large
   * frames must stay as they are until `settle`; only for messages that one peer gets.
   */
  send(
    socket: number,
    frames: readonly MessageLike[],
    recipient?: Recipient,
    lends = false,
  ): number {
    if (frames.length === 1 && recipient === undefined) {
      const bytes = toBytes(frames[0]!);
      if (bytes.length <= IN_PLACE) return this.#sendSmall(socket, bytes);
    }
    const parcel = this.#pack(allBytes(frames), lends);
    if (!parcel) return ENOMEM;
    let rc = recipient === undefined ? 0 : parcel.address(recipient);
    if (rc >= 0) rc = parcel.send(socket);
    if (rc === EAGAIN || rc === EFSM) this.#unsent = parcel;
    else parcel.free();
    return rc < 0 ? rc : parcel.size;
  }

  #sendSmall(socket: number, bytes: Uint8Array): number {
    const { reactor } = this;
    const { memory, exports } = reactor.instance;
    memory.bytes.set(bytes, this.scratch);
    let rc: number;
    try {
      // Not through `reactor.call`, whose cost would show here.
      rc = exports.zw_send!(socket, this.scratch, bytes.length, C.ZMQ_DONTWAIT);
    } catch (error) {
      throw reactor.died(error);
    }
    if (rc !== EAGAIN && rc !== EFSM) return rc;
    this.#unsent = this.#pack([bytes]);
    return this.#unsent ? rc : ENOMEM;
  }

  /**
   * Sends messages of one frame each, from `start` on, as many as fit into one crossing.
   * No frame is larger than IN_PLACE. Returns how many were sent: none if there is no room,
   * or another reason, which `send` tells.
   */
  sendMany(
    socket: number,
    frames: readonly Uint8Array[],
    start: number,
  ): number {
    const { reactor, scratch } = this;
    const { memory, exports } = reactor.instance;
    const { bytes, words } = memory;
    const end = scratch + BATCH_BYTES - IN_PLACE - 4;
    let at = scratch;
    let i = start;
    for (; i < frames.length && at <= end; i++) {
      const frame = frames[i]!;
      words[at >> 2] = frame.length;
      bytes.set(frame, at + 4);
      at += 4 + ((frame.length + 3) & ~3);
    }
    try {
      return exports.zw_send_many!(socket, scratch, i - start);
    } catch (error) {
      throw reactor.died(error);
    }
  }

  /** Lent frames are the program's again. */
  settle(): void {
    this.lent = false;
    this.reactor.instance.bodies.settle();
  }

  /** The message of the last `send`, which could be sent later; the caller's to free. */
  unsent(): Parcel {
    const parcel = this.#unsent;
    this.#unsent = undefined;
    if (!parcel) throw outOfMemory();
    return parcel;
  }

  /**
   * Copies frames: small ones into the module in one crossing, large ones to where they stay,
   * the largest outside of it.
   */
  #pack(frames: readonly Uint8Array[], lends = false): Parcel | undefined {
    const { memory, bodies } = this.reactor.instance;
    const count = frames.length;
    const words = count * 12;
    let size = 0;
    for (const frame of frames) size += frame.length;
    if (size > MOST_BYTES) return undefined;
    const room = words > BATCH_BYTES ? memory.alloc(words) : this.scratch;
    const end = room + Math.max(words, BATCH_BYTES) - words;
    const apart: number[] = [];
    let at = room;
    for (let i = 0; i < count; i++) {
      const frame = frames[i]!;
      const padded = (frame.length + 3) & ~3;
      const address = frame.length < SMALLEST_BODY
        ? 0
        : lends
        ? bodies.lend(frame)
        : bodies.put(frame);
      if (address !== 0) {
        this.lent ||= lends;
        const word = at >> 2;
        memory.words[word] = OUTSIDE;
        memory.words[word + 1] = frame.length;
        memory.words[word + 2] = address;
        at += 12;
        continue;
      }
      // Each later frame still needs its words.
      const inline = frame.length <= IN_PLACE && at + padded <= end + i * 12;
      memory.words[at >> 2] = inline ? frame.length | INLINE : frame.length;
      at += 4;
      if (inline) {
        memory.bytes.set(frame, at);
        at += padded;
      } else apart.push(i);
    }
    const pointer = this.reactor.call("zw_parcel_new", room, count) >>> 0;
    if (room !== this.scratch) memory.free(room);
    if (pointer === 0) return undefined;
    for (const i of apart) {
      const data = this.reactor.call("zw_parcel_data", pointer, i) >>> 0;
      memory.bytes.set(frames[i]!, data);
    }
    return new Parcel(this, pointer, size);
  }
}

/** Also of what is missing in an array, which is undefined. */
function allBytes(frames: readonly MessageLike[]): Uint8Array[] {
  const bytes: Uint8Array[] = [];
  for (let i = 0; i < frames.length; i++) bytes.push(toBytes(frames[i]!));
  return bytes;
}
