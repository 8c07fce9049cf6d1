/** Why connections failed: what a monitor tells of one has only its fd. */
import { HostError } from "../host/host.ts";

/** Of so many of them it is known: nobody may ever ask, or many fail before somebody does. */
const MOST = 2048;

export class Failures {
  /** Without the errors: each has a stack and a cause, in sum some KB. */
  readonly #known = new Map<number, Pick<HostError, "code" | "message">>();

  /** Undefined if the connection of the fd did not fail, or so long ago that it is forgotten. */
  get(fd: number): HostError | undefined {
    const known = this.#known.get(fd);
    return known && new HostError(known.code, known.message);
  }

  add(fd: number, { code, message }: HostError): void {
    if (this.#known.size === MOST && !this.#known.has(fd)) {
      this.#known.delete(this.#known.keys().next().value!);
    }
    this.#known.set(fd, { code, message });
  }

  /** The fd is a new one's. */
  forget(fd: number): void {
    this.#known.delete(fd);
  }

  /** Nobody is left who could ask. */
  clear(): void {
    this.#known.clear();
  }
}
