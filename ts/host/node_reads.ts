/**
 * Where reads of Node's and Bun's sockets go: to where the bytes belong, or to a pad.
 *
 * All sockets read into one pad, instead of new memory for each read: libuv picks it when it
 * reads, and calls back before anything else is read. Receiving 64 KB messages then costs a
 * third less CPU. What is known to belong to a large frame goes straight there. Where one
 * descriptor can be read to two places at once, it goes together with the begin of the next
 * frame: PUSH to PULL of 64 KB did 20.8 k/s then instead of 16.1. And where frames of one size
 * follow each other, several are read at once: Node 29.4 k/s instead of 23.8, of 40 KB 31.7
 * instead of 24.7.
 *
 * A small pad is best where bytes are done with as fast as they come: with a larger one the peer
 * sleeps meanwhile, and messages of 16 KB have four fifths of the speed. But where 64 KB take 60 µs
 * and more, as they are decrypted, what the system does for the peer at each read takes 15. So
 * there is a large pad for these.
 */
import type { ConnectionEvents } from "./host.ts";
import { readAllNow, readNow } from "./node_descriptors.ts";

const PAD_BYTES = 65536;
/**
 * The large one: 64 KB with CURVE on Node 10.5 k/s, not 9.6, and 11.0 if it has a megabyte, which
 * only the caches of some processors hold; on Bun 8.3 k/s, not 8.1, and 8.5.
 */
const LARGE_PAD_BYTES = "Bun" in globalThis ? 2 ** 20 : 2 ** 19;
/** So many reads go there after what takes long. */
const LONG_READS = 16;
/** After what belongs to a large frame only so much: the rest of the next has its own place. */
const HEAD_BYTES = 4096;
/** The most that one read takes of a frame. */
const MOST_BYTES = 2 ** 20;
/** Bytes read by the descriptor after a read of libuv, which itself goes on up to 32 times. */
const READ_ON_BYTES = 2 ** 18;

const NOTHING = new Uint8Array(0);
const nobody = () => {};
let pad: Uint8Array | undefined;
let largePad: Uint8Array | undefined;
let head: Uint8Array | undefined;

export function thePad(): Uint8Array {
  return pad ??= new Uint8Array(PAD_BYTES);
}

function theLargePad(): Uint8Array {
  return largePad ??= new Uint8Array(LARGE_PAD_BYTES);
}

function theHead(): Uint8Array {
  return head ??= new Uint8Array(HEAD_BYTES);
}

/** Who takes bytes, and says where what comes next belongs. */
type Taker = Pick<ConnectionEvents, "data" | "places" | "filled">;

export class Places {
  readonly #readsOn: boolean;
  readonly #taker: () => Taker | undefined;
  #target: Uint8Array | undefined;
  /** Whether the last bytes were of a large frame. */
  #large = false;
  /** So many reads go to the large pad yet. */
  #longReads = 0;
  /** Whether all places were filled that the next large frames are expected at. */
  #full = false;

  /** `readsOn`: whether `read` and `readOn` can be called, so that small places are no loss. */
  constructor(readsOn: boolean, taker: () => Taker | undefined) {
    this.#readsOn = readsOn;
    this.#taker = taker;
  }

  /** Whether the last bytes were of a large frame: mostly it goes on, or another follows. */
  get areLarge(): boolean {
    return this.#large;
  }

  /** What comes takes long. */
  takesLong(): void {
    this.#longReads = LONG_READS;
  }

  /** What comes waits: it is to be little. */
  waits(): void {
    this.#longReads = 0;
  }

  /** Where the next read of a socket itself goes. */
  next(): Uint8Array {
    const target = this.#target;
    const isLong = this.#longReads > 0;
    if (isLong) this.#longReads--;
    const pad = isLong ? theLargePad() : thePad();
    if (this.#readsOn) return target ?? (this.#large ? theHead() : pad);
    return target && target.length >= PAD_BYTES ? target : pad;
  }

  take(bytes: Uint8Array): void {
    const placed = this.#target !== undefined;
    this.#full = false;
    this.#target = this.#taker()?.data(bytes);
    this.#large = placed || this.#target !== undefined;
  }

  /**
   * Reads what is there, up to a megabyte or so, and takes it. Returns how many bytes that were
   * if there may be more, else -1 less as many. Another failure of the read is given to
   * `failed`.
   */
  read(fd: number, failed: (cause: unknown) => void): number {
    if (this.#large) {
      const taker = this.#taker();
      const places = taker?.places();
      if (places) return this.#readAll(fd, places, taker!, failed);
    }
    const target = this.#target;
    const alone = target === undefined || target.length > MOST_BYTES;
    const place = target?.subarray(0, MOST_BYTES) ?? this.next();
    const begin = alone ? NOTHING : theHead();
    let size: number;
    try {
      size = alone ? readNow(fd, place) : readAllNow(fd, [place, begin]);
    } catch (cause) {
      failed(cause);
      return -1;
    }
    if (size < 0) return -1;
    const placed = Math.min(size, place.length);
    if (size > 0) this.take(place.subarray(0, placed));
    if (size > placed) this.take(begin.subarray(0, size - placed));
    return size < place.length + begin.length ? -1 - size : size;
  }

  /** `read` of a place after the other, as far as there are bytes. */
  #readAll(
    fd: number,
    places: Uint8Array[],
    taker: Taker,
    failed: (cause: unknown) => void,
  ): number {
    let size = 0;
    let cause: unknown;
    try {
      size = Math.max(0, readAllNow(fd, places));
    } catch (caught) {
      cause = caught;
    }
    let room = 0;
    for (const place of places) room += place.length;
    this.#full = size === room;
    this.#target = taker.filled(size);
    if (cause !== undefined) failed(cause);
    return size < room ? -1 - size : size;
  }

  /** Reads on while large frames come, and `fd` gives the descriptor. */
  readOn(fd: () => number | undefined): void {
    let left = READ_ON_BYTES;
    while ((this.#target !== undefined || this.#full) && left > 0) {
      const from = fd();
      // libuv finds failures as well, and tells.
      const size = from === undefined ? -1 : this.read(from, nobody);
      if (size < 0) return;
      left -= size;
    }
  }
}
