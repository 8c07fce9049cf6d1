/** Why connections failed: what a monitor tells of one has only its fd. */
import type { HostError } from "../host/host.ts";

/** Of so many of them it is known: nobody may ever ask, or many fail before somebody does. */
const MOST = 2 ** 14;

export class Failures {
  readonly #errors = new Map<number, HostError>();

  /** Undefined if the connection of the fd did not fail, or so long ago that it is forgotten. */
  get(fd: number): HostError | undefined {
    return this.#errors.get(fd);
  }

  add(fd: number, error: HostError): void {
    if (this.#errors.size === MOST && !this.#errors.has(fd)) {
      this.#errors.delete(this.#errors.keys().next().value!);
    }
    this.#errors.set(fd, error);
  }

  /** The fd is a new one's. */
  forget(fd: number): void {
    this.#errors.delete(fd);
  }
}
