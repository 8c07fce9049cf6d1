/**
 * The module's memory: views that survive growth, and the scoped ways to lend it
 * bytes and strings. Nothing else in ts/ calls malloc.
 */

import { outOfMemory } from "../errors.ts";
import { decoder, encoder } from "../host/text.ts";

/** The module's functions, as wasm/exports.txt lists them. */
export type Exports =
  & { _initialize(): void }
  & Record<string, (...args: number[]) => number>;

const lengthOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  "length",
)!.get!;

/**
 * How many bytes there are, whatever a property of its own says that an array of the program's
 * may have: so many go into the module.
 */
export const sizeOf = (bytes: Uint8Array): number => lengthOf.call(bytes);

export class Memory {
  readonly #memory: { readonly buffer: ArrayBuffer };
  readonly #exports: Exports;
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);

  /** `memory`: a WebAssembly.Memory, of which programs without the types of a page know nothing. */
  constructor(memory: { readonly buffer: ArrayBuffer }, exports: Exports) {
    this.#memory = memory;
    this.#exports = exports;
  }

  /** All bytes; valid until the next call into the module. */
  get bytes(): Uint8Array {
    if (this.#bytes.length === 0) {
      this.#bytes = new Uint8Array(this.#memory.buffer);
    }
    return this.#bytes;
  }

  /** All 32-bit words; valid until the next call into the module. */
  get words(): Uint32Array {
    if (this.#words.length === 0) {
      this.#words = new Uint32Array(this.#memory.buffer);
    }
    return this.#words;
  }

  /** The text of `size` bytes. */
  text(pointer: number, size: number): string {
    return decoder.decode(this.bytes.subarray(pointer, pointer + size));
  }

  /** The text of a C string. */
  cString(pointer: number): string {
    return this.text(pointer, this.bytes.indexOf(0, pointer) - pointer);
  }

  /** Writes a C string of ASCII. */
  setAscii(pointer: number, text: string): void {
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) {
      bytes[pointer + i] = text.charCodeAt(i);
    }
    bytes[pointer + text.length] = 0;
  }

  /** Memory that the caller frees. @throws ZmqError ENOMEM when there is none */
  alloc(size: number): number {
    const pointer = this.#exports.malloc!(size) >>> 0;
    if (pointer === 0) throw outOfMemory();
    return pointer;
  }

  free(pointer: number): void {
    this.#exports.free!(pointer);
  }

  /** Lends `data` to `use`, with its size. */
  withBytes<T>(data: Uint8Array, use: (ptr: number, size: number) => T): T {
    const size = sizeOf(data);
    const pointer = this.alloc(size || 1);
    try {
      // What was transferred away is empty, but nothing may be copied from it.
      if (size > 0) this.bytes.set(data, pointer);
      return use(pointer, size);
    } finally {
      this.bytes.fill(0, pointer, pointer + size);
      this.free(pointer);
    }
  }

  /** Lends a C string to `use`. */
  withString<T>(text: string, use: (pointer: number) => T): T {
    const bytes = encoder.encode(text + "\0");
    try {
      return this.withBytes(bytes, use);
    } finally {
      // It may be a key.
      bytes.fill(0);
    }
  }

  /** Lends `size` zero bytes to `use`, to be written by the module. */
  withSpace<T>(size: number, use: (pointer: number) => T): T {
    return this.withBytes(new Uint8Array(size), use);
  }
}
