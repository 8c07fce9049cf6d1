const NONE: ReadonlySet<string> = new Set();

/** The `inproc` names that sockets of a context have connected to, and may wait for. */
export class InprocNames {
  readonly #of = new Map<object, Set<string>>();

  /** `socket` has connected to it. */
  add(socket: object, name: string): void {
    const names = this.#of.get(socket);
    if (names) names.add(name);
    else this.#of.set(socket, new Set([name]));
  }

  of(socket: object): ReadonlySet<string> {
    return this.#of.get(socket) ?? NONE;
  }

  /** The socket is gone: nothing of it waits any more. */
  gone(socket: object): void {
    this.#of.delete(socket);
  }

  all(): Set<string> {
    return new Set([...this.#of.values()].flatMap((names) => [...names]));
  }

  clear(): void {
    this.#of.clear();
  }
}
