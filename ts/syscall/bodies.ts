/**
 * Bodies of large messages, which lie outside of the module: libzmq hands them about by
 * addresses that its memory cannot have, those from 2 GiB on, and the host reads and writes
 * them where they are. A message of 64 KB and more is thus copied once less, or twice.
 *
 * Owns the addresses: each body has some pages of 64 KiB to itself from `make` or `put`
 * until libzmq gives it back.
 */

import { SentMemory } from "./sent_memory.ts";

/** Smaller ones lie in the module: an address costs more than the copy. */
export const SMALLEST_BODY = 32768;

const FIRST_ADDRESS = 2 ** 31;
const PAGE_BITS = 16, PAGE_BYTES = 1 << PAGE_BITS;
/** Not quite all: the end of the last one would be address 0. */
const PAGES = 32767;
/**
 * Room before the bytes of a body on its way out, for the head that goes before it: both are
 * one piece then, and neither is copied. Heads of messages of few frames fit.
 */
const HEAD_ROOM = 64;

/** Makes memory: `size` bytes, those of `content` if it is given. */
export type Allocate = (size: number, content?: Uint8Array) => Uint8Array;

export class Body {
  bytes: Uint8Array;
  /** The first of its pages. */
  readonly page: number;
  /** Whether it is on its way out. */
  readonly ours: boolean;
  /** Writes under way that read from it. */
  writes = 0;
  /** It has become the program's. */
  given = false;
  /** Its memory is still that of the program which sends it. */
  borrowed = false;

  constructor(bytes: Uint8Array, page: number, ours: boolean) {
    this.bytes = bytes;
    this.page = page;
    this.ours = ours;
  }

  /**
   * Its bytes from the start to `end` with `head` before them, in one piece; undefined if there
   * is no room for that, or if a write of another head may be reading from there.
   */
  after(head: Uint8Array, end: number): Uint8Array | undefined {
    const { bytes } = this;
    const start = bytes.byteOffset - head.length;
    if (!this.ours || this.borrowed || start < 0) return undefined;
    const whole = new Uint8Array(bytes.buffer, start, head.length + end);
    // What goes to many peers has the same head for each.
    if (this.writes > 0) {
      return head.every((byte, i) => whole[i] === byte) ? whole : undefined;
    }
    whole.set(head);
    return whole;
  }

  /** Where in it an address is. */
  offset(address: number): number {
    return (address >>> 0) - FIRST_ADDRESS - this.page * PAGE_BYTES;
  }
}

/** Whether what wasm passed as a pointer is an address of a body. */
export const isOutside = (pointer: number): boolean => (pointer | 0) < 0;

export class Bodies {
  readonly #pages: (Body | undefined)[] = [];
  readonly #allocate: Allocate;
  readonly #limit: number;
  readonly #sent = new SentMemory();
  #next = 0;
  #free = PAGES;
  /** So many in a row are not free, since the last `drop`. */
  #missing = Infinity;
  /** Bodies that may be borrowed still. */
  #lent: Body[] = [];
  /** Bytes of all bodies, and of those that `put` made. */
  bytes = 0;
  queued = 0;

  /** No more than `limit` bytes at a time, in memory that `allocate` makes. */
  constructor(limit: number, allocate: Allocate) {
    this.#limit = limit;
    this.#allocate = allocate;
  }

  /**
   * A body for a message that is coming in. Returns its address, or 0 if there is no room; as
   * in the module, the last quarter is not for what peers announce. Its bytes lie in `memory`
   * if they have been read already.
   */
  make(size: number, memory?: Uint8Array): number {
    if (this.bytes + size > this.#limit * 0.75) return 0;
    const page = this.#pagesFor(size);
    if (page === -1) return 0;
    try {
      memory ??= this.#allocate(size);
    } catch {
      return 0; // the module may have it, or the message is refused
    }
    return this.#enter(new Body(memory, page, false));
  }

  /** A body with a copy of these bytes. Returns its address, or 0 if there is no room. */
  put(bytes: Uint8Array): number {
    const size = bytes.length;
    if (this.bytes + size > this.#limit) return 0;
    const page = this.#pagesFor(size);
    if (page === -1) return 0;
    let memory: Uint8Array;
    try {
      memory = this.#take(size);
    } catch {
      return 0;
    }
    memory.set(bytes);
    return this.#enter(new Body(memory, page, true));
  }

  /**
   * A body that is these very bytes until `settle`, for a message that only one peer gets.
   * Returns its address, or 0 if there is no room.
   */
  lend(bytes: Uint8Array): number {
    if (this.bytes + bytes.length > this.#limit) return 0;
    const page = this.#pagesFor(bytes.length);
    if (page === -1) return 0;
    const body = new Body(bytes, page, true);
    body.borrowed = true;
    this.#lent.push(body);
    return this.#enter(body);
  }

  /** The program has its bytes for itself again: copies what was not written at once. */
  settle(): void {
    for (const body of this.#lent) if (this.has(body)) this.own(body, 0);
    this.#lent = [];
  }

  /** Copies the bytes of a borrowed body from `start` on, which are all that matter. */
  own(body: Body, start: number): void {
    if (!body.borrowed) return;
    const memory = this.#take(body.bytes.length);
    memory.set(start === 0 ? body.bytes : body.bytes.subarray(start), start);
    body.bytes = memory;
    body.borrowed = false;
  }

  /** The body that an address lies in. */
  at(address: number): Body {
    return this.#pages[((address >>> 0) - FIRST_ADDRESS) >>> PAGE_BITS]!;
  }

  /** Whether the body still exists. */
  has(body: Body): boolean {
    return this.#pages[body.page] === body;
  }

  /** libzmq needs the body at this address no more. */
  drop(address: number): void {
    const body = this.at(address);
    const { bytes, page } = body;
    const end = page + pagesOf(bytes.length);
    for (let i = page; i < end; i++) this.#pages[i] = undefined;
    this.#free += end - page;
    this.#missing = Infinity;
    this.bytes -= bytes.length;
    if (body.ours) this.queued -= bytes.length;
    this.#reuse(body);
  }

  /** A write that read from the body is over. */
  wrote(body: Body): void {
    body.writes--;
    if (!this.has(body)) this.#reuse(body);
  }

  #reuse(body: Body): void {
    if (body.ours && !body.borrowed && !body.given && body.writes === 0) {
      this.#sent.keep(body.bytes.buffer);
    }
  }

  /** Copies bytes of which the one, the other or both are of bodies; `inside` is the module's. */
  copy(inside: Uint8Array, to: number, from: number, size: number): void {
    this.#view(inside, to, size).set(this.#view(inside, from, size));
  }

  /** Forgets all: the instance is gone. */
  clear(): void {
    this.#pages.length = this.#lent.length = 0;
    this.#free = PAGES;
    this.#missing = Infinity;
    this.bytes = this.queued = 0;
    this.#sent.clear();
  }

  #view(inside: Uint8Array, pointer: number, size: number): Uint8Array {
    if (!isOutside(pointer)) return inside.subarray(pointer, pointer + size);
    const body = this.at(pointer);
    const at = body.offset(pointer);
    return body.bytes.subarray(at, at + size);
  }

  #enter(body: Body): number {
    const end = body.page + pagesOf(body.bytes.length);
    for (let i = body.page; i < end; i++) this.#pages[i] = body;
    this.#next = end;
    this.#free -= end - body.page;
    this.bytes += body.bytes.length;
    if (body.ours) this.queued += body.bytes.length;
    return FIRST_ADDRESS + body.page * PAGE_BYTES;
  }

  /** The first of enough pages in a row that are free, or -1: looks on from the last found. */
  #pagesFor(size: number): number {
    const needed = pagesOf(size);
    // To look through all of them takes a millisecond.
    if (needed > this.#free || needed >= this.#missing) return -1;
    const pages = this.#pages;
    let at = this.#next;
    for (let looked = 0; looked <= PAGES;) {
      if (at + needed > PAGES) {
        looked += PAGES - at + 1;
        at = 0;
        continue;
      }
      let run = 0;
      while (run < needed && pages[at + run] === undefined) run++;
      if (run === needed) return at;
      // On behind the body that is in the way.
      const body = pages[at + run]!;
      const after = body.page + pagesOf(body.bytes.length);
      looked += after - at;
      at = after;
    }
    this.#missing = needed;
    return -1;
  }

  /** Memory for `size` bytes on their way out: what such a body had, or new. */
  #take(size: number): Uint8Array {
    const room = HEAD_ROOM + size;
    const memory = this.#sent.take(room) ?? this.#allocate(room).buffer;
    return new Uint8Array(memory, HEAD_ROOM, size);
  }
}

function pagesOf(size: number): number {
  return Math.ceil(size / PAGE_BYTES);
}
