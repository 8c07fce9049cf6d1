/**
 * Memory of bodies that were sent, for those to come.
 *
 * What is new to a process it gets page by page when it is written to: 16 MB in 1 to 50 ms, in
 * which no timer fires. Owns what is free: some of it always, and large pieces beyond that for
 * as long as the engine has not collected what nobody uses.
 */

/** So much is kept always: two messages of 16 MB with what goes before them. */
const MOST_BYTES = 33 * 2 ** 20, MOST = 16;
/** Pieces of this size are kept beyond that, so many. */
const LARGE = 2 ** 20, MOST_LARGE = 64;

export class SentMemory {
  /** The last used is the last here. */
  readonly #kept: ArrayBufferLike[] = [];
  readonly #large: WeakRef<ArrayBufferLike>[] = [];
  #bytes = 0;

  /** Memory of `size` bytes, or up to a quarter more; undefined if there is none. */
  take(size: number): ArrayBufferLike | undefined {
    const kept = this.#kept;
    for (let i = kept.length; i-- > 0;) {
      const memory = kept[i]!;
      if (!fits(memory, size)) continue;
      kept.splice(i, 1);
      this.#bytes -= memory.byteLength;
      return memory;
    }
    return size < LARGE ? undefined : this.#takeLarge(size);
  }

  /** The oldest go: programs send what they sent last. */
  keep(memory: ArrayBufferLike): void {
    if (memory.byteLength > MOST_BYTES) return this.#keepLarge(memory);
    const kept = this.#kept;
    kept.push(memory);
    this.#bytes += memory.byteLength;
    while (kept.length > MOST || this.#bytes > MOST_BYTES) {
      const oldest = kept.shift()!;
      this.#bytes -= oldest.byteLength;
      if (oldest.byteLength >= LARGE) this.#keepLarge(oldest);
    }
  }

  clear(): void {
    this.#kept.length = this.#large.length = this.#bytes = 0;
  }

  #keepLarge(memory: ArrayBufferLike): void {
    if (this.#large.push(new WeakRef(memory)) > MOST_LARGE) {
      this.#large.shift();
    }
  }

  #takeLarge(size: number): ArrayBufferLike | undefined {
    const large = this.#large;
    for (let i = large.length; i-- > 0;) {
      const memory = large[i]!.deref();
      if (memory && !fits(memory, size)) continue;
      large.splice(i, 1);
      if (memory) return memory;
    }
    return undefined;
  }
}

function fits({ byteLength }: ArrayBufferLike, size: number): boolean {
  return byteLength >= size && byteLength <= size + (size >> 2);
}
