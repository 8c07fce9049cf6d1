/**
 * LAYER 1 on Deno: fairness between the loops that turn promises into events.
 *
 * An operation that is ready resolves within the same drain of microtasks, so an unchecked
 * loop would keep timers, `soon` and all other connections waiting.
 */
import { globals, setImmediate } from "./deno_globals.ts";

/** Bytes per turn of the event loop before a loop lets others run; an event costs 1 KiB extra. */
const TURN_BUDGET = 512 * 1024;
export const EVENT_COST = 1024;

/** What was done since the event loop last turned, or somewhat earlier, over all connections. */
export const turn = {
  left: TURN_BUDGET,
  armed: false,
  /** Loops that go on in a tick: see `tick`. */
  ticking: 0,
  /** Undefined while there is budget, else a promise of a later turn. */
  spend(bytes: number): Promise<void> | undefined {
    // A conversation should not pay for a tick in each turn.
    if (!this.armed && this.left < TURN_BUDGET * 3 / 4) {
      this.armed = true;
      // Ticks run only once the microtasks are through: then the budget is new, unless a loop
      // goes on in ticks.
      globals.process.nextTick(() => {
        if (this.ticking === 0) this.renew();
        else setImmediate(() => this.renew());
      });
    }
    this.left -= bytes + EVENT_COST;
    if (this.left > 0) return undefined;
    return new Promise((resolve) => setImmediate(resolve));
  },
  renew(): void {
    this.armed = false;
    this.left = TURN_BUDGET;
  },
  /**
   * Resolves when the program has done what it had to do at once, which is before any timer and
   * what else has arrived; in a later turn if the budget is used up.
   */
  async tick(): Promise<void> {
    const rest = this.spend(0);
    if (rest) return rest;
    this.ticking++;
    await new Promise<void>((resolve) => globals.process.nextTick(resolve));
    this.ticking--;
  },
};
