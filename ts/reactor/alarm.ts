import type { Host, HostTimer } from "../host/host.ts";

/** The one timer for all that libzmq waits for. */
export class Alarm {
  readonly #host: Host;
  readonly #task: () => void;
  #timer: HostTimer | undefined;
  #deadline = Infinity;

  constructor(host: Host, task: () => void) {
    this.#host = host;
    this.#task = task;
  }

  /** Rings in `wait` ms, or never if that is 0. */
  set(wait: number): void {
    if (wait === 0) {
      this.cancel();
      return;
    }
    const deadline = this.#host.now() + wait;
    // One that rings too early only has libzmq look again.
    if (this.#deadline <= deadline + 1) return;
    this.#timer?.cancel();
    this.#deadline = deadline;
    this.#timer = this.#host.setTimer(() => {
      this.#timer = undefined;
      this.#deadline = Infinity;
      this.#task();
    }, wait);
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#deadline = Infinity;
  }
}
