const NONE: ReadonlySet<string> = new Set();

/**
 * The `inproc` names that sockets of a context have connected to, and may wait for: by the
 * addresses of libzmq's sockets, which outlive ours.
 */
export class InprocNames {
  readonly #of = new Map<number, Set<string>>();

  /** `socket` has connected to it. */
  add(socket: number, name: string): void {
    const names = this.#of.get(socket);
    if (names) names.add(name);
    else this.#of.set(socket, new Set([name]));
  }

  of(socket: number): ReadonlySet<string> {
    return this.#of.get(socket) ?? NONE;
  }

  /** It does not wait for this one any more. */
  delete(socket: number, name: string): void {
    const names = this.#of.get(socket);
    if (names?.delete(name) && names.size === 0) this.gone(socket);
  }

  /** The socket is gone: nothing of it waits any more. */
  gone(socket: number): void {
    this.#of.delete(socket);
  }

  /** Sockets that may wait. */
  get sockets(): number[] {
    return [...this.#of.keys()];
  }
}
