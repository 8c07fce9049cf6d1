/** Chance that a seed makes again: mulberry32, and what the fuzzers ask of it. */
import { Buffer } from "node:buffer";

export class Random {
  #state: number;

  /** The same seeds give the same numbers. */
  constructor(...seeds: number[]) {
    this.#state = 0x9e3779b9;
    for (const seed of seeds) {
      this.#state = Math.imul(this.#state ^ seed, 0x85ebca6b) | 0;
      this.next();
    }
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** Small sizes most of the time, sometimes up to `most`. */
  size(most: number): number {
    return Math.floor(most ** this.next());
  }

  bytes(size: number): Buffer {
    const out = Buffer.alloc(size);
    for (let i = 0; i < size; i++) out[i] = this.below(256);
    return out;
  }

  text(most: number): string {
    let out = "";
    for (let i = this.size(most); i > 0; i--) {
      out += this.chance(0.9)
        ? String.fromCharCode(32 + this.below(95))
        : this.pick(["\0", "\n", "é", "\u{1f600}", "\ud800", "\uffff", "%s"]);
    }
    return out;
  }
}
