/**
 * LAYER 1 on Bun: reads and writes of busy connections by the C library.
 *
 * Those of Bun's node:fs make several objects for each call, and an error with its stack
 * whenever nothing is there: 6.7 µs for a `readv` that finds nothing, where this takes 1.6.
 */
import { type BunLibrary, bunLibrary } from "./bun_library.ts";
import { MSG_DONTWAIT, WRITES } from "./linux_flags.ts";
import { builtin } from "./node_builtins.ts";
import { unpace } from "./pacing.ts";

/** Calls by a descriptor, as node_descriptors.ts has them. */
export interface Calls {
  read(fd: number, place: Uint8Array): number;
  readAll(fd: number, places: readonly Uint8Array[]): number;
  writeAll(fd: number, pieces: readonly Uint8Array[]): number;
  /** See pacing.ts. */
  unpace(fd: number): void;
}

/**
 * Nothing is there, or a signal came first. Or (0) the number is of another call: it is read by a
 * call of its own. Then the next read finds what is wrong.
 */
const EAGAIN = 11, EINTR = 4;
const NOTHING = [EAGAIN, EINTR, 0];
const TWO_32 = 2 ** 32;

/** In halves of words: an `iovec`, an address and a size, and where they are in a `msghdr`. */
const IOVEC = 4, MSGHDR = 14;
const VECTOR = 4, COUNT = 6;

class LibraryCalls implements Calls {
  readonly #library: BunLibrary;
  readonly #errno: number;
  #vector = new Uint32Array(IOVEC * 16);
  readonly #message = new Uint32Array(MSGHDR);

  constructor(library: BunLibrary, errno: number) {
    this.#library = library;
    this.#errno = errno;
  }

  read(fd: number, place: Uint8Array): number {
    const { recv } = this.#library.functions;
    const size = recv(fd, place, place.length, MSG_DONTWAIT);
    return size < 0 ? this.#failed("recv") : size;
  }

  // Bun's descriptors never wait.
  readAll(fd: number, places: readonly Uint8Array[]): number {
    this.#fill(places);
    const { readv } = this.#library.functions;
    const size = readv(fd, this.#vector, places.length);
    return size < 0 ? this.#failed("readv") : size;
  }

  writeAll(fd: number, pieces: readonly Uint8Array[]): number {
    this.#fill(pieces);
    const message = this.#message;
    const { ffi, functions } = this.#library;
    this.#point(message, VECTOR, ffi.ptr(this.#vector));
    message[COUNT] = pieces.length;
    return Math.max(functions.sendmsg(fd, message, WRITES), 0);
  }

  unpace(fd: number): void {
    unpace(fd, this.#library.functions);
  }

  #fill(places: readonly Uint8Array[]): void {
    const words = IOVEC * places.length;
    if (this.#vector.length < words) this.#vector = new Uint32Array(words);
    const { ffi } = this.#library;
    for (let i = 0, at = 0; i < places.length; i++, at += IOVEC) {
      const place = places[i]!;
      // What has no bytes has no address for Bun.
      this.#point(this.#vector, at, place.length > 0 ? ffi.ptr(place) : 0);
      this.#vector[at + 2] = place.length;
    }
  }

  /** Linux runs Bun on little-endian processors only. */
  #point(words: Uint32Array, at: number, pointer: number): void {
    words[at] = pointer % TWO_32;
    words[at + 1] = pointer / TWO_32;
  }

  #failed(call: string): number {
    const errno = this.#library.ffi.read.i32(this.#errno, 0);
    if (NOTHING.includes(errno)) return -1;
    const code = builtin("node:util").getSystemErrorName(-errno);
    throw Object.assign(new Error(`${call}: ${code}`), { code });
  }
}

/** Undefined where the library is not to be had. */
export function libraryCalls(): Calls | undefined {
  const library = bunLibrary();
  // One for each thread, and each has this module for itself.
  const errno = library?.functions.__errno_location();
  return library && errno ? new LibraryCalls(library, errno) : undefined;
}
