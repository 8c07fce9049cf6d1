import type { Instance } from "../native/instance.ts";
import type { Host } from "../host/host.ts";

/** Bytes of large messages that may wait to be written. */
const MOST_BYTES = 2 ** 19;
/** How long a connection may take for what it has; a peer that does not read takes longer. */
const LEAST_MS = 5;
/** It may take so many times as long as connections took lately. */
const TIMES = 3;
/** Who took longer reads too slowly to be waited for. */
const SLOW_MS = 15;
/** Of what they took so much is remembered when another one has written what it had. */
const KEPT = 0.98;

/**
 * Has programs that send large messages wait while connections are busy with earlier ones.
 * Otherwise these pile up to the high-water mark, a gigabyte of messages of 1 MB, and each
 * has left the caches of the processor when its turn comes: half the speed. Who reads
 * too slowly holds up nobody: what is sent to him queues. With CURVE connections take 2 to 7 ms
 * for what they have; when 5 was too slow, messages of 64 KB cost their sender on Bun 134 µs of
 * CPU, not 122.
 */
export class Backlog {
  readonly #host: Host;
  readonly #instance: Instance;
  /** Milliseconds. */
  #patience = LEAST_MS;
  #waiting: Promise<void> | undefined;
  #end: (() => void) | undefined;

  constructor(host: Host, instance: Instance) {
    this.#host = host;
    this.#instance = instance;
    // Also when those that there were are closed.
    instance.fds.holds.whenNone = () => this.#end?.();
  }

  /** Undefined, or resolves when there is less to write, or nobody takes it in time. */
  room(): Promise<void> | undefined {
    const { bodies, fds: { holds } } = this.#instance;
    if (bodies.queued <= MOST_BYTES || holds.count === 0) return undefined;
    return this.#waiting ??= new Promise((resolve) => {
      const release = this.#host.keepAlive();
      const timer = this.#host.setTimer(() => {
        holds.giveUp();
        this.#end!();
      }, this.#patience);
      this.#end = () => {
        this.#waiting = this.#end = undefined;
        timer.cancel();
        release();
        resolve();
      };
    });
  }

  /** A connection has written what it had, which took so many milliseconds. */
  drained(took: number): void {
    if (took <= SLOW_MS) {
      const kept = Math.max(KEPT * this.#patience, LEAST_MS);
      this.#patience = Math.max(TIMES * took, kept);
    }
    this.#end?.();
  }
}
