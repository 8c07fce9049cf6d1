/**
 * What a byte stream of the module has on its way: bytes that arrived and were not read yet,
 * and those that the host is still writing.
 */
import type { Connection } from "../host/host.ts";
import { lingerOf } from "../host/linger.ts";
import { Ahead, type Spares } from "./ahead.ts";
import type { Bodies, Body } from "./bodies.ts";
import { errnoOf } from "./errno.ts";
import type { Holds } from "./holds.ts";
import { restOf, type Rests } from "./rests.ts";
import { LARGEST_STAGE, type Stages } from "./stages.ts";

/** What all streams have in common. */
export interface Traffic {
  readonly stages: Stages;
  readonly spares: Spares;
  readonly rests: Rests;
  /** Writes made so far. */
  writes: number;
  /** The part of a stage that was last written. */
  staged: Uint8Array;
  readonly holds: Holds;
  /** Milliseconds, as `Host.now`. */
  now(): number;
}

/** What a write reads from. */
interface Held {
  readonly stage?: Uint8Array | undefined;
  readonly body?: Body | undefined;
  readonly bodies?: Bodies | undefined;
}

const EAGAIN = -errnoOf("EAGAIN");
const NOTHING = new Uint8Array(0);
/** So few bytes are copied faster by themselves than by a view of them. */
const SMALL = 128;
/**
 * Of so much, what the system takes at once is written from where it is: 64 KB with CURVE, Node
 * 5.72 k/s instead of 5.19, Bun 3.90 k instead of 3.64. But not where the head before it needs a
 * write of its own: Deno 4.30 k, and 4.68 when both are staged.
 */
const LARGE = 65536;
/** So much may be kept unread while reading goes on, which takes long to stop and to begin. */
const MOST_KEPT = 4096;
/** Less than this is read as always, with what comes after it. */
const LEAST_TARGET = 16384;

export class Stream {
  readonly connection: Connection;
  connected: boolean;
  readonly #traffic: Traffic;
  /** Non-null while the host holds on to the bytes of a write. */
  #held: Held | null = null;
  /** Since when. */
  #heldAt = 0;
  #hold = 0;
  /** What goes before what is written next, in a stage. */
  #head: Uint8Array | null = null;
  /** The head begins with the rest of a write before. */
  #keeps = false;
  /** Something arrived since the last large write: a conversation waits for all of each. */
  #talks = true;
  /** What arrived and was not read yet: chunks in order, and how far the first is read. */
  #input: Uint8Array[] = [];
  #inputAt = 0;
  /** So many of the last chunks are there only during the host's call. */
  #lent = 0;
  /** Bytes that were read, modulo 2^32: engines are faster with small integers. */
  #taken = 0;
  readonly #ahead: Ahead;
  #paused = false;
  /** Where what comes next belongs, if libzmq waits for much of one body. */
  #target: Uint8Array | undefined;
  /** A body that has all its bytes before they are read. */
  #copied: Uint8Array | undefined;

  constructor(connection: Connection, traffic: Traffic, connected: boolean) {
    this.connection = connection;
    this.#traffic = traffic;
    this.#ahead = new Ahead(traffic.spares);
    this.connected = connected;
  }

  // --- out

  /** Takes `size` bytes of `memory`; returns how many, or -EAGAIN. */
  send(
    memory: Uint8Array,
    at: number,
    size: number,
    bodyFollows: boolean,
  ): number {
    if (this.#held) return EAGAIN;
    if (size === 0) return 0;
    let written = 0;
    const { connection } = this;
    const traffic = this.#traffic;
    if (size >= LARGE && connection.writeBoth) {
      written = this.#writeNow(memory.subarray(at, at + size));
    } else if (!bodyFollows && !this.#head && connection.writeFrom) {
      written = connection.writeFrom(memory, at, size);
    }
    if (written > 0) traffic.writes++;
    if (written === size) return size;
    at += written;
    size -= written;
    const head = this.#head;
    const start = head?.length ?? 0;
    const stage = traffic.stages.take(start + size);
    const taken = Math.min(size, stage.length - start);
    if (head) {
      stage.set(head);
      traffic.stages.giveBack(head);
      this.#head = null;
    }
    if (taken > SMALL) stage.set(memory.subarray(at, at + taken), start);
    else for (let i = 0; i < taken; i++) stage[start + i] = memory[at + i]!;
    const end = start + taken;
    let { staged } = traffic;
    // A conversation often writes the same size again and again.
    if (staged.length !== end || staged.buffer !== stage.buffer) {
      staged = traffic.staged = stage.subarray(0, end);
    }
    // A stage that is full, or too small for all of the head, has no room for the body.
    if (bodyFollows && start + size < LARGEST_STAGE) this.#head = staged;
    else {
      this.#keeps = false;
      this.#write({ stage }, staged);
    }
    return written + taken;
  }

  /** Takes up to `size` bytes of a body from `at` on; returns how many, or -EAGAIN. */
  sendBody(bodies: Bodies, body: Body, at: number, size: number): number {
    if (this.#held) return EAGAIN;
    const length = Math.min(size, LARGEST_STAGE - (this.#head?.length ?? 0));
    let written = 0;
    if (body.borrowed) {
      if (this.connection.writeNow) {
        written = this.#writeNow(part(body.bytes, at, at + length));
        if (written === length) return length;
      }
      bodies.own(body, at + written);
    }
    const rest = part(body.bytes, at + written, at + length);
    const head = this.#head;
    this.#head = null;
    const held = { body, bodies };
    const both = head && !this.#keeps && at + written === 0
      ? body.after(head, length)
      : undefined;
    this.#keeps = false;
    if (both) {
      this.#traffic.stages.giveBack(head!);
      this.#write(held, both);
    } else if (head && !this.connection.writeBoth) {
      this.#writeStaged(head, rest);
    } else if (head) this.#write({ ...held, stage: head }, rest, head);
    else this.#write(held, rest);
    return length;
  }

  /** Writes a copy. */
  #writeStaged(head: Uint8Array, part: Uint8Array): void {
    const { stages } = this.#traffic;
    const start = head.length;
    const stage = stages.take(start + part.length);
    stage.set(head);
    stages.giveBack(head);
    stage.set(part, start);
    this.#write({ stage }, stage.subarray(0, start + part.length));
  }

  /** Writes what the system takes at once; returns how many of these bytes are done with. */
  #writeNow(bytes: Uint8Array): number {
    const { connection } = this;
    const head = this.#head;
    const size = head?.length ?? 0;
    const mayKeep = connection.isPaced && !this.#talks;
    const rest = mayKeep ? restOf(size + bytes.length) : 0;
    this.#talks = false;
    const end = bytes.length - rest;
    const whole = part(bytes, 0, end);
    const count = connection.writeNow?.(head ? [head, whole] : [whole]) ?? 0;
    if (count === 0) return 0;
    if (head && count < size) {
      head.copyWithin(0, count);
      this.#head = head.subarray(0, size - count);
      return 0;
    }
    if (head) {
      this.#head = null;
      this.#keeps = false;
      this.#traffic.stages.giveBack(head);
    }
    const written = count - size;
    if (rest === 0 || written < end) return written;
    this.#keep(bytes.subarray(end));
    return bytes.length;
  }

  #keep(rest: Uint8Array): void {
    const { stages, rests } = this.#traffic;
    const stage = stages.take(rest.length);
    stage.set(rest);
    this.#head = stage.subarray(0, rest.length);
    this.#keeps = true;
    rests.add(this);
  }

  /** The program has sent what it sends in one go: what is kept is written. */
  writeRest(): void {
    if (!this.#keeps) return;
    this.#writeNow(NOTHING);
    if (this.#head) this.#writeHead(this.#head);
  }

  #write(held: Held, bytes: Uint8Array, head?: Uint8Array): void {
    const traffic = this.#traffic;
    traffic.writes++;
    const gone = head
      ? this.connection.writeBoth!(head, bytes)
      : this.connection.write(bytes);
    if (!gone) {
      this.#held = held;
      this.#heldAt = traffic.now();
      this.#hold = traffic.holds.begin();
      if (held.body) held.body.writes++;
    } else if (held.stage) traffic.stages.giveBack(held.stage);
  }

  #writeHead(head: Uint8Array): void {
    this.#head = null;
    this.#keeps = false;
    this.#write({ stage: head }, head);
  }

  /** The host has written all it had. Returns for how many milliseconds, begun ones included. */
  drained(): number {
    const { stage, body, bodies } = this.#held ?? {};
    if (this.#held) this.#traffic.holds.end(this.#hold);
    this.#held = null;
    if (stage) this.#traffic.stages.giveBack(stage);
    if (body) bodies!.wrote(body);
    return Math.ceil(this.#traffic.now() - this.#heldAt);
  }

  close(linger: number): void {
    if (this.#head) this.#writeHead(this.#head);
    if (this.#held) this.#traffic.holds.end(this.#hold);
    this.#held = null;
    this.connection.close(lingerOf(linger));
  }

  // --- in

  /** The host has these bytes, but only during its call: see `next`. */
  arrived(bytes: Uint8Array): void {
    this.#talks = true;
    this.#input.push(bytes);
    this.#lent++;
  }

  /** Where to read what comes next, and what is expected after it, in order; or undefined. */
  places(): Uint8Array[] | undefined {
    return this.#input.length === 0
      ? this.#ahead.places(this.#target, this.#taken)
      : undefined;
  }

  /** `size` bytes were read to where `places` said. */
  filled(size: number): void {
    for (const chunk of this.#ahead.filled(size)) this.arrived(chunk);
  }

  /**
   * A body of `size` bytes is next, but for `left` bytes of it that were read already. Returns
   * its memory if all of it is there: where it has been read to, or a copy.
   */
  begins(size: number, left: number): Uint8Array | undefined {
    this.#ahead.learn(size, this.#taken - left);
    this.#copied = undefined;
    const chunk = this.#input[0];
    const start = this.#inputAt - left;
    if (!chunk || start < 0) return undefined;
    const { spares } = this.#traffic;
    if (!spares.copies) {
      return start === 0 ? this.#ahead.adopt(chunk, size) : undefined;
    }
    const end = start + size;
    if (end > chunk.length) return undefined;
    return this.#copied = spares.copyOf(chunk.subarray(start, end));
  }

  /**
   * Keeps what was left unread of what arrived, and reads no more until that is read; but reads
   * on after one small piece that is only read later. Returns where to read what comes next.
   */
  next(isLater: boolean): Uint8Array | undefined {
    const target = this.#target;
    const input = this.#input;
    const lent = this.#lent;
    this.#lent = 0;
    if (input.length === 0) return target;
    this.#target = undefined;
    const last = input.length - 1;
    for (let i = Math.max(0, input.length - lent); i <= last; i++) {
      const chunk = input[i]!;
      // What was read to its place is libzmq's, or may become so.
      if (chunk.buffer === target?.buffer || this.#ahead.owns(chunk)) continue;
      // A copy, which `slice` of a Buffer would not be.
      input[i] = new Uint8Array(chunk.subarray(i === 0 ? this.#inputAt : 0));
      if (i === 0) this.#inputAt = 0;
    }
    if (!isLater || last > 0 || input[0]!.length > MOST_KEPT) {
      this.#paused = true;
      this.connection.pause();
    }
    return undefined;
  }

  /**
   * Moves the next `size` bytes to `memory`; there are as many. `wanted` bytes are awaited
   * there if it stays where it is.
   */
  read(memory: Uint8Array, at: number, size: number, wanted: number): void {
    const input = this.#input;
    this.#taken = (this.#taken + size) | 0;
    this.#target = wanted >= LEAST_TARGET && wanted > size
      ? memory.subarray(at + size, at + wanted)
      : undefined;
    const isComplete = wanted <= size;
    while (size > 0) {
      const chunk = input[0]!;
      const from = this.#inputAt;
      const n = Math.min(size, chunk.length - from);
      const part = n === chunk.length ? chunk : chunk.subarray(from, from + n);
      // The host may have read it to its place.
      const isThere = memory === this.#copied ||
        part.buffer === memory.buffer &&
          part.byteOffset === memory.byteOffset + at;
      if (!isThere) memory.set(part, at);
      at += n;
      size -= n;
      this.#inputAt += n;
      if (this.#inputAt === chunk.length) {
        this.#ahead.over(chunk);
        input.shift();
        this.#inputAt = 0;
      }
    }
    if (isComplete) this.#copied = undefined;
    if (this.#paused && input.length === 0) {
      this.#paused = false;
      this.connection.resume();
    }
  }
}

/** Bytes of `bytes`, mostly all: then there is no need for a view. */
function part(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return start === 0 && end === bytes.length
    ? bytes
    : bytes.subarray(start, end);
}
