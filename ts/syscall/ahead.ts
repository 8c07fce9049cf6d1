/**
 * Where a stream of large messages is read to before their heads are known.
 *
 * Who sends large messages often sends many of one size. So where the last ones had the same
 * size, and the same number of bytes between them, the next are read as if they had too: several
 * at once, each into memory of its own, which becomes the message's when libzmq asks for a body
 * at that place. If it never does, they are bytes like others and are copied. Reading 64 KB
 * messages four at a time spares calls of the system, acknowledgements, and crossings.
 *
 * Where the runtime fills new memory with zeros (Deno), several pieces of it have left the
 * cache when they are read to. There they are read to a pad, and each is copied out of it.
 */

import type { Allocate } from "./bodies.ts";

/** Larger ones are enough by themselves; larger than the second, where they are copied. */
const LARGEST_BODY = 2 ** 17, LARGEST_COPY = 2 ** 16;
/** The most between two bodies: their heads, and frames of some bytes. */
const LARGEST_GAP = 64;
/** So many alike are followed by more of the kind. */
const ENOUGH = 3;
/** Bodies that are read in one go have together up to so many bytes. */
const MOST_BYTES = 2 ** 18;
/** With what lies between bodies of a power of two. */
const PAD_BYTES = MOST_BYTES + 1024;
/** So many pieces of memory that were not read to wait for the next read, which takes no more. */
const MOST_SPARES = 16;

/** Memory for bodies to come, of all streams together: none keeps some while it is idle. */
export class Spares {
  readonly #allocate: Allocate;
  /** What comes is better copied out of a pad than read to its own memory. */
  readonly copies: boolean;
  #pad: Uint8Array | undefined;
  #free: Uint8Array[] = [];

  constructor(allocate: Allocate, copies: boolean) {
    this.#allocate = allocate;
    this.copies = copies;
  }

  /** No larger bodies are read ahead. */
  get largest(): number {
    return this.copies ? LARGEST_COPY : LARGEST_BODY;
  }

  /** Where all that is expected is read to, if it is copied. */
  get pad(): Uint8Array | undefined {
    return this.copies ? this.#pad ??= new Uint8Array(PAD_BYTES) : undefined;
  }

  /** Undefined if there is no memory. */
  take(size: number): Uint8Array | undefined {
    const free = this.#free;
    for (let at = 0; at < free.length; at++) {
      if (free[at]!.length === size) return takeOut(free, at);
    }
    return this.#make(size);
  }

  /** A copy, in memory that is not filled with zeros before; undefined if there is none. */
  copyOf(bytes: Uint8Array): Uint8Array | undefined {
    return this.#make(bytes.length, bytes);
  }

  #make(size: number, content?: Uint8Array): Uint8Array | undefined {
    try {
      return this.#allocate(size, content);
    } catch {
      return undefined; // then it is read as always
    }
  }

  giveBack(memory: Uint8Array): void {
    // The oldest go: what comes next is like what came last.
    if (this.#free.push(memory) > MOST_SPARES) this.#free.shift();
  }

  clear(): void {
    this.#free = [];
  }
}

export class Ahead {
  readonly #spares: Spares;
  /** Of the last bodies: the size, the bytes before each, and how many were alike. */
  #size = 0;
  #gap = 0;
  #alike = 0;
  /** Where in the stream the last one ends, modulo 2^32. */
  #end = 0;
  /** Where what lies between bodies is read to, for as many as one read may take. */
  #gaps: Uint8Array[] = [];
  /** What `places` gave last: every second one from `#first` on is memory for a body. */
  #places: Uint8Array[] = [];
  #first = 0;
  /** Memory for bodies that has been read to, but is no body's yet. */
  #filled: Uint8Array[] = [];

  constructor(spares: Spares) {
    this.#spares = spares;
  }

  /** A body of `size` bytes begins, at `start` in the stream. */
  learn(size: number, start: number): void {
    const gap = (start - this.#end) | 0;
    const isAlike = size === this.#size && gap === this.#gap;
    this.#alike = isAlike ? this.#alike + 1 : 0;
    this.#size = size;
    this.#gap = gap;
    this.#end = (start + size) | 0;
  }

  /**
   * Where to read what comes next, in order: the rest of a body, if one is under way, and
   * then as many as are expected, where `at` is where the stream has been read to. Undefined
   * if nothing is expected there.
   */
  places(rest: Uint8Array | undefined, at: number): Uint8Array[] | undefined {
    const size = this.#size, gap = this.#gap;
    /** So much of what lies before the next body has been read. */
    const begun = rest ? 0 : (at - this.#end) | 0;
    if (
      this.#alike < ENOUGH || size > this.#spares.largest ||
      gap > LARGEST_GAP || begun < 0 || begun >= gap
    ) return undefined;
    const { pad } = this.#spares;
    if (pad) {
      this.#first = 2; // there is none
      // Whole bodies: of one that is cut off, all would be filled with zeros, and then read to.
      const each = gap + size;
      const whole = pad.subarray(
        0,
        each * Math.floor(pad.length / each) - begun,
      );
      return this.#places = rest ? [rest, whole] : [whole];
    }
    const count = Math.floor(MOST_BYTES / size);
    if (this.#gaps[0]?.length !== gap || this.#gaps.length < count) {
      const memory = new Uint8Array(new ArrayBuffer(gap * count));
      this.#gaps = Array.from(
        { length: count },
        (_, i) => memory.subarray(i * gap, (i + 1) * gap),
      );
    }
    const places = rest ? [rest] : [];
    this.#first = rest ? 2 : 1;
    for (let i = 0; i < count; i++) {
      const body = this.#spares.take(size);
      if (!body) break;
      const between = this.#gaps[i]!;
      const isBegun = i === 0 && begun > 0;
      places.push(isBegun ? between.subarray(begun) : between, body);
    }
    return places.length > 1 ? this.#places = places : undefined;
  }

  /** The first `size` bytes of the places were read to. Returns these, in order. */
  filled(size: number): Uint8Array[] {
    const chunks: Uint8Array[] = [];
    const places = this.#places;
    this.#places = [];
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      const isBody = i >= this.#first && (i - this.#first) % 2 === 0;
      if (size === 0) {
        if (isBody) this.#spares.giveBack(place);
        continue;
      }
      const n = Math.min(size, place.length);
      chunks.push(n === place.length ? place : place.subarray(0, n));
      if (isBody) this.#filled.push(place);
      size -= n;
    }
    return chunks;
  }

  /** Whether these bytes lie in memory for bodies, and may stay there. */
  owns(bytes: Uint8Array): boolean {
    return this.#whereIs(bytes) >= 0;
  }

  /** The memory that these bytes are the begin of, for a body of `size` bytes. */
  adopt(bytes: Uint8Array, size: number): Uint8Array | undefined {
    const at = this.#whereIs(bytes);
    if (at < 0 || this.#filled[at]!.length !== size) return undefined;
    return takeOut(this.#filled, at);
  }

  /** These bytes have been read: if they are nobody's, others can be read to their place. */
  over(bytes: Uint8Array): void {
    if (this.#filled.length === 0) return;
    const at = this.#whereIs(bytes);
    if (at >= 0) this.#spares.giveBack(takeOut(this.#filled, at));
  }

  /** Which of `#filled` these bytes lie in, or -1. */
  #whereIs({ buffer }: Uint8Array): number {
    const filled = this.#filled;
    // Mostly the first. A function would be an object for each call.
    for (let at = 0; at < filled.length; at++) {
      if (filled[at]!.buffer === buffer) return at;
    }
    return -1;
  }
}

function takeOut<T>(from: T[], at: number): T {
  return at === 0 ? from.shift()! : from.splice(at, 1)[0]!;
}
