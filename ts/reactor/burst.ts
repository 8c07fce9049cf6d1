/**
 * How much a program may send in one go before libzmq is pumped.
 *
 * Of a burst to many connections each message would be a write of its own. So bursts become
 * longer until there is a write for several of them. They yield as often as any, but what
 * they send leaves when they are over.
 */

/** Work units after which a burst is pumped unless it may be longer; and the longest. */
export const BURST = 256;
const LONGEST_BURST = 32768;
/** How much a write should take. */
const UNITS_PER_WRITE = 8;
/** Bytes that count as one unit of work. */
const UNIT_BYTES = 1024;

export function units(bytes: number, calls: number): number {
  return calls + Math.floor(bytes / UNIT_BYTES);
}

export class BurstLength {
  /** Work units of the next burst. */
  longest = BURST;
  /** Units sent since `longest` was last set, and the writes that there had been then. */
  #spread = 0;
  #writes = 0;

  /** Units were sent by a socket that `spreads` them, and where there is no room waits. */
  sent(work: number, spreads: boolean): void {
    if (spreads) this.#spread += work;
    // Others would drop what a long burst has no room for.
    else this.longest = BURST;
  }

  /** A burst of `work` units is over, with so many `writes` from the beginning. */
  over(work: number, writes: number): void {
    if (work < BURST || this.#spread === 0) return;
    const factor = UNITS_PER_WRITE * (writes - this.#writes) / this.#spread;
    const wanted = Math.max(BURST, this.longest * factor);
    // Whole, as work is: JavaScriptCore compiles for what it has seen.
    this.longest = Math.floor(Math.min(wanted, LONGEST_BURST));
    this.#spread = 0;
    this.#writes = writes;
  }
}
