/**
 * Looks for answers that come at once, instead of sleeping until the system wakes us.
 *
 * To sleep and be woken takes longer than a short round trip: a bare ping-pong between two
 * Node processes took 85 µs and 45 µs of CPU asleep, 18 µs and 28 µs of CPU awake. So where a
 * program sends and then waits, and the last waits of that kind were short, the event loop goes
 * round without sleeping for a moment: everything else of the program runs as ever. A long
 * wait ends the moment, and a few of them the habit: an idle program sleeps, and so does one
 * on a busy machine.
 *
 * Systems like to run two that wake each other on the same processor, even where another is
 * idle. Asleep that is fast (41 µs a trip), but who looks out there keeps the peer from
 * running. So each look in vain after another makes the next one rarer. (With that, with
 * shorter looks and less garbage the slowest of 100 trips took 188 µs instead of 377.)
 */
import type { Host } from "../host/host.ts";

/** A wait up to this long is a short one. In milliseconds. */
const SHORT_MS = 0.25;
/** We look out for so many times the usual short wait. */
const PATIENCE = 5;
/**
 * At least so long: longer than a peer takes that sleeps. Otherwise, when one of two looked in
 * vain, each went to sleep because the other did, for five to ten trips.
 */
const LEAST_LOOK_MS = 0.1;
/** How fast what is usual follows the last waits. */
const PACE = 1 / 8;
/** Short waits are counted from the first to the second, and from the third on we look out. */
const LEAST = -512;
const MOST = 128;
const ENOUGH = 4;
/**
 * What one long wait takes from the count. Garbage collections make one of a hundred waits
 * long, and shall not end the habit, because trips are slow until it is back. Where others
 * want the processor every third is long, as who is to answer waits until we sleep.
 */
const LONG_COSTS = 16;
/** A look in vain costs twice as much as the one before, up to this. */
const MOST_COSTS = 512;

export class Lookout {
  readonly #host: Host;
  #short = 0;
  /** When the wait began; 0 when there is none. */
  #since = 0;
  #usual = SHORT_MS;
  /** What the next look in vain costs. */
  #vainCosts = LONG_COSTS;
  #sent = false;
  #looking = false;
  #then: (() => void) | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  /** The program does something that may have an answer. */
  sent(): void {
    this.#sent = true;
  }

  /** Nothing is left to do, and somebody waits. */
  waits(): void {
    if (!this.#sent || !this.#host.glance) return;
    this.#sent = false;
    // What was sent before is still without an answer: that is one wait.
    if (this.#since === 0) this.#since = this.#host.now();
    if (this.#short < ENOUGH || this.#looking) return;
    this.#looking = this.#host.glance(this.#look, true);
  }

  /**
   * Runs `task` with the look that is due anyway, which is as soon as the program and what is
   * ready had their turn; false if none is due. There is one task at a time.
   */
  andThen(task: () => void): boolean {
    if (this.#looking) this.#then = task;
    return this.#looking;
  }

  /** Something arrived. */
  arrived(): void {
    if (this.#since === 0) return;
    this.#count(this.#host.now() - this.#since);
    this.#since = 0;
  }

  #count(waited: number): void {
    if (waited > SHORT_MS) return this.#long(LONG_COSTS);
    this.#short = Math.min(MOST, this.#short + 1);
    this.#usual += (waited - this.#usual) * PACE;
    if (this.#looking) this.#vainCosts = LONG_COSTS;
  }

  #long(costs: number): void {
    this.#short = Math.max(LEAST, this.#short - costs);
  }

  #look = (): void => {
    this.#looking = false;
    const then = this.#then;
    this.#then = undefined;
    then?.();
    // The task may have begun the next one.
    if (this.#looking || this.#since === 0) return;
    const waited = this.#host.now() - this.#since;
    const patience = Math.max(LEAST_LOOK_MS, this.#usual * PATIENCE);
    this.#looking = waited <= Math.min(SHORT_MS, patience) &&
      this.#host.glance!(this.#look, false);
    if (this.#looking) return;
    // The answer, when it comes, is not counted as well.
    this.#long(this.#vainCosts);
    this.#vainCosts = Math.min(MOST_COSTS, this.#vainCosts * 2);
    this.#since = 0;
  };
}
