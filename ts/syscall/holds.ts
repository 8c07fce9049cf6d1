/**
 * How many connections hold bytes that are not written yet, and may be waited for: not those
 * that held them already when somebody gave up waiting, for whoever never reads holds them
 * for ever.
 */
export class Holds {
  /** So many. */
  count = 0;
  /** Told when there is none any more. */
  whenNone: () => void = () => {};
  #round = 0;

  /** A connection has something to write; returns what to say at its end. */
  begin(): number {
    this.count++;
    return this.#round;
  }

  /** It has written it, or is closed. */
  end(round: number): void {
    if (round === this.#round && --this.count === 0) this.whenNone();
  }

  /** Those that there are take too long. */
  giveUp(): void {
    this.count = 0;
    this.#round++;
  }
}
