/**
 * How long events may be worked on in one turn of the event loop.
 *
 * A turn can have events of a thousand connections, each with thousands of messages. When it
 * has taken its time, further events are only taken note of, and pumped in the next turn.
 * A turn with little work is not looked at: that would cost a task of the host for each.
 */
import type { Host } from "../host/host.ts";

/** How long pumps, or a turn with much work, may take before timers get theirs. */
export const TURN_MS = 4;
/** Work units from which on a turn has much work. */
const MUCH = 512;
/** Events per pump; one can bring thousands of messages. */
const EVENTS = 32;
/** What `zw_pump` returns. */
const ALL = 0;
const TIME_IS_UP = 2;
/** A double, as times are: JavaScriptCore compiles for what it has seen. */
const NEVER = Infinity;

export class Turn {
  readonly #host: Pick<Host, "now" | "later">;
  #work = 0;
  #until = NEVER;

  constructor(host: Pick<Host, "now" | "later">) {
    this.#host = host;
  }

  /** Pumps some events at a time; false if time is up before all are done. */
  pump(some: (events: number) => number): boolean {
    let until = this.#until;
    for (;;) {
      const pumped = some(EVENTS);
      if (pumped === ALL) return true;
      if (pumped === TIME_IS_UP) return false;
      const now = this.#host.now();
      if (until === NEVER) until = now + TURN_MS;
      if (now >= until) return false;
    }
  }

  /** An event, after `work` units since the last one: false if it should wait for the next turn. */
  goesOn(work: number): boolean {
    this.#work += work;
    if (this.#work < MUCH) return true;
    if (this.#until !== NEVER) return this.#host.now() <= this.#until;
    this.#until = this.#host.now() + TURN_MS;
    this.#host.later(this.#over);
    return true;
  }

  #over = (): void => {
    this.#until = NEVER;
    this.#work = 0;
  };
}
