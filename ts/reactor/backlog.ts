import type { Instance } from "../native/instance.ts";
import type { Host } from "../host/host.ts";

/** Bytes of large messages that may wait to be written. */
const MOST_BYTES = 2 ** 19;
/** How long a connection may take for what it has; a peer that does not read takes longer. */
const PATIENCE_MS = 5;

/**
 * Has programs that send large messages wait while connections are busy with earlier ones.
 * Otherwise these pile up to the high-water mark, a gigabyte of messages of 1 MB, and each
 * has left the caches of the processor when its turn comes: half the speed. Who reads
 * too slowly holds up nobody: what is sent to him queues.
 */
export class Backlog {
  readonly #host: Host;
  readonly #instance: Instance;
  /** Nothing was written for so long that nobody waits, until something is. */
  #stalled = false;
  #waiting: Promise<void> | undefined;
  #end: (() => void) | undefined;

  constructor(host: Host, instance: Instance) {
    this.#host = host;
    this.#instance = instance;
  }

  /** Undefined, or resolves when there is less to write, or nobody takes it. */
  room(): Promise<void> | undefined {
    if (this.#stalled || this.#instance.bodies.queued <= MOST_BYTES) {
      return undefined;
    }
    return this.#waiting ??= new Promise((resolve) => {
      const release = this.#host.keepAlive();
      const timer = this.#host.setTimer(() => {
        this.#stalled = true;
        this.#end!();
      }, PATIENCE_MS);
      this.#end = () => {
        this.#waiting = this.#end = undefined;
        timer.cancel();
        release();
        resolve();
      };
    });
  }

  /** A connection has written what it had. */
  drained(): void {
    this.#stalled = false;
    this.#end?.();
  }
}
