/**
 * LAYER 1, shared by the runtimes: attempts to connect that keep the process alive.
 *
 * A runtime cannot be told to end while it connects, and where nobody answers that takes two
 * minutes. So an attempt that nothing else of the program waits beside is given up after a while.
 * A program that goes on nevertheless, for a reason that cannot be seen, tries again, longer.
 */
import type { Host, HostError, HostTimer } from "./host.ts";
import { hostError } from "./messages.ts";

/** The least and the most that an attempt has. */
const LEAST_MS = 1000, MOST_MS = 60_000;

interface Attempt {
  readonly since: number;
  readonly giveUp: () => void;
}

export class Attempts {
  readonly #host: Pick<Host, "now" | "later" | "setTimer">;
  readonly #isBusy: (attempts: number) => boolean;
  /** In the order in which they began. */
  readonly #all = new Set<Attempt>();
  #patience = LEAST_MS;
  #timer: HostTimer | undefined;

  /** `isBusy` says whether something keeps the process alive beside so many attempts. */
  constructor(
    host: Pick<Host, "now" | "later" | "setTimer">,
    isBusy: (attempts: number) => boolean,
  ) {
    this.#host = host;
    this.#isBusy = isBusy;
  }

  /** An attempt begins; returns what is to be called when it is over. */
  begin(giveUp: (reason: HostError) => void, what: string): () => void {
    const attempt = {
      since: this.#host.now(),
      giveUp: () => giveUp(hostError(what, "ETIMEDOUT")),
    };
    this.#all.add(attempt);
    // Most are over soon: no timer for these.
    if (this.#all.size === 1) this.#host.later(() => this.#wait());
    return () => {
      if (!this.#all.delete(attempt) || this.#all.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  #wait(): void {
    const [oldest] = this.#all;
    if (!oldest || this.#timer) return;
    const age = this.#host.now() - oldest.since;
    const ms = Math.max(this.#patience - age, LEAST_MS / 4);
    this.#timer = this.#host.setTimer(() => this.#look(), ms);
  }

  #look(): void {
    this.#timer = undefined;
    const [oldest] = this.#all;
    if (!oldest) return;
    const isDue = this.#host.now() - oldest.since >= this.#patience;
    if (!isDue || this.#isBusy(this.#all.size)) return this.#wait();
    this.#patience = Math.min(this.#patience * 2, MOST_MS);
    // All: each of them keeps the process alive.
    for (const { giveUp } of [...this.#all]) giveUp();
    this.#wait();
  }
}

/** What of Node's process this needs; @types/node does not know all of it. */
interface Inside {
  getActiveResourcesInfo?(): string[];
  _getActiveHandles?(): object[];
}

/** Whether a process waits for anything but so many attempts, as far as it tells. */
export function waitsFor(attempts: number): boolean {
  const inside = process as Inside;
  const active = inside.getActiveResourcesInfo?.() ?? [];
  const connecting = active.filter((name) => name === "ConnectWrap").length;
  // A stream that is not read keeps nothing alive: stdout, say.
  const idle = (inside._getActiveHandles?.() ?? []).filter((handle) => {
    const stream = handle as { _handle?: { reading?: boolean } };
    return "writable" in stream && !stream._handle?.reading;
  });
  return active.length > Math.min(connecting, attempts) + idle.length;
}
