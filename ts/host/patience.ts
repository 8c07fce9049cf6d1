/**
 * How often it is looked for more where large frames come, before the runtime is to tell of it.
 *
 * More comes soon. To be told of it takes as long as some looks more, and a process that sleeps
 * must be woken by who sends. After looks in vain there are fewer, after others more.
 */

const MOST_LOOKS = 16;

export class Patience {
  readonly #less: (most: number) => number;
  /** How often nothing was there since something was. */
  #looks = 0;
  #most = MOST_LOOKS;

  /** `less`: how many looks are made after that many were in vain. */
  constructor(less: (most: number) => number) {
    this.#less = less;
  }

  /** Nothing is there now: whether to look again. */
  looksAgain(): boolean {
    if (this.#looks++ < this.#most) return true;
    this.#looks = 0;
    this.#most = Math.max(1, this.#less(this.#most));
    return false;
  }

  /** Something was there. */
  came(): void {
    if (this.#looks === 0) return;
    this.#looks = 0;
    this.#most = Math.min(MOST_LOOKS, this.#most + 2);
  }
}
