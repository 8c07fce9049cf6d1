/**
 * Messages on their way into the module.
 */
import * as C from "zeromq-wasm:constants";
import { outOfMemory } from "../errors.ts";
import { sizeOf } from "../native/memory.ts";
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

/** Where a message goes: libzmq's socket, which is 0 once it is closed. */
export interface Target {
  readonly pointer: number;
}

/** The same for the module. */
interface Address {
  readonly routingId: number;
  /** A C string. */
  readonly group: Uint8Array | undefined;
}

const ENOMEM = -errnoOf("ENOMEM"), EBADF = -errnoOf("EBADF");
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
  address({ routingId, group }: Address): number {
    const { reactor } = this.port;
    if (group === undefined) {
      return reactor.call("zw_parcel_address", this.pointer, routingId, 0);
    }
    const { memory } = reactor.instance;
    return memory.withBytes(
      group,
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
    to: Target,
    frames: readonly MessageLike[],
    recipient?: Recipient,
    lends = false,
  ): number {
    // All that may be the program's code comes before anything else: it may close the socket.
    if (frames.length === 1 && recipient === undefined) {
      const bytes = toBytes(frames[0]!);
      const size = sizeOf(bytes);
      return size <= IN_PLACE
        ? this.#sendSmall(to, bytes, size)
        : this.#sendAll(to, [bytes], undefined, lends);
    }
    const address = recipient && addressOf(recipient);
    return this.#sendAll(to, allBytes(frames), address, lends);
  }

  #sendAll(
    { pointer }: Target,
    frames: Uint8Array[],
    address: Address | undefined,
    lends: boolean,
  ): number {
    if (pointer === 0) return EBADF;
    const parcel = this.#pack(frames, lends);
    if (!parcel) return ENOMEM;
    let rc = address === undefined ? 0 : parcel.address(address);
    if (rc >= 0) rc = parcel.send(pointer);
    if (rc === EAGAIN || rc === EFSM) this.#unsent = parcel;
    else parcel.free();
    return rc < 0 ? rc : parcel.size;
  }

  #sendSmall({ pointer }: Target, bytes: Uint8Array, size: number): number {
    if (pointer === 0) return EBADF;
    const { reactor } = this;
    const { memory, exports } = reactor.instance;
    memory.bytes.set(bytes, this.scratch);
    let rc: number;
    try {
      // Not through `reactor.call`, whose cost would show here.
      rc = exports.zw_send!(pointer, this.scratch, size, C.ZMQ_DONTWAIT);
    } catch (error) {
      throw reactor.died(error);
    }
    if (rc !== EAGAIN && rc !== EFSM) return rc;
    this.#unsent = this.#pack([bytes]);
    return this.#unsent ? rc : ENOMEM;
  }

  /**
   * Sends messages of one frame each, from `start` on, as many as fit into one crossing.
   * Returns how many were sent: none if there is no room, or another reason, which `send`
   * tells; also if the frame is larger than IN_PLACE, as one that has grown may be.
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
      const size = sizeOf(frame);
      if (size > IN_PLACE) break;
      words[at >> 2] = size;
      // It may have been transferred away.
      if (size > 0) bytes.set(frame, at + 4);
      at += 4 + ((size + 3) & ~3);
    }
    if (i === start) return 0;
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
  #pack(frames: Uint8Array[], lends = false): Parcel | undefined {
    const { memory, bodies } = this.reactor.instance;
    const count = frames.length;
    const words = count * 12;
    let size = 0;
    // What can fail comes before there are bodies to give back.
    for (let i = 0; i < count; i++) {
      const length = sizeOf(frames[i]!);
      size += length;
      if (length >= SMALLEST_BODY) frames[i] = whole(frames[i]!, length);
    }
    if (size > MOST_BYTES) return undefined;
    const room = words > BATCH_BYTES ? memory.alloc(words) : this.scratch;
    const end = room + Math.max(words, BATCH_BYTES) - words;
    const apart: number[] = [];
    let at = room;
    for (let i = 0; i < count; i++) {
      const frame = frames[i]!;
      const length = sizeOf(frame);
      const padded = (length + 3) & ~3;
      const address = length < SMALLEST_BODY
        ? 0
        : lends
        ? bodies.lend(frame)
        : bodies.put(frame);
      if (address !== 0) {
        this.lent ||= lends;
        const word = at >> 2;
        memory.words[word] = OUTSIDE;
        memory.words[word + 1] = length;
        memory.words[word + 2] = address;
        at += 12;
        continue;
      }
      // Each later frame still needs its words.
      const inline = length <= IN_PLACE && at + padded <= end + i * 12;
      memory.words[at >> 2] = inline ? length | INLINE : length;
      at += 4;
      // A frame that a later one has transferred away is empty.
      if (length === 0) continue;
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

function addressOf({ routingId = 0, group }: Recipient): Address {
  const name = group === undefined ? group : toBytes(group);
  return { routingId, group: name && Uint8Array.of(...name, 0) };
}

/** The same bytes, of which there are so many for as long as they are lent. */
function whole(bytes: Uint8Array, size: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, size);
}
