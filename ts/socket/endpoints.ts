/** What a socket has bound and connected to, by all names that its user may have for it. */
interface Endpoint {
  /** What libzmq was given. */
  readonly real: string;
  /** Its name where wildcards are filled in, which libzmq takes as well. */
  readonly last: string;
}

export class Endpoints {
  readonly #known = new Map<string, Endpoint>();

  get areNone(): boolean {
    return this.#known.size === 0;
  }

  /** `address` is the user's name for what libzmq was given as `real`, and calls `last`. */
  add(address: string, real: string = address, last: string = real): void {
    for (const name of [address, real]) this.#known.set(name, { real, last });
    this.#known.set(last, { real: last, last });
  }

  /** What to give libzmq for a name. */
  realOf(address: string): string {
    return this.#known.get(address)?.real ?? address;
  }

  /** Forgets what has this name, and all its names. */
  delete(address: string): void {
    const last = this.#known.get(address)?.last;
    for (const [name, known] of this.#known) {
      if (known.last === last) this.#known.delete(name);
    }
  }
}
