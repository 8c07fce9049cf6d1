/**
 * How often it is looked for more where large frames come, before the runtime is to tell of it.
 *
 * More comes soon. To be told of it takes as long as some looks more, and a process that sleeps
 * must be woken by who sends. A peer that was slow is looked at less often.
 */

/** In a row, and how many fewer or more after some in vain or one that was not. */
const MOST_LOOKS = 16, STEP = 2;

export class Patience {
  /** How often nothing was there since something was. */
  #looks = 0;
  #most = MOST_LOOKS;

  /** Nothing is there now: whether to look again. */
  looksAgain(): boolean {
    if (this.#looks++ < this.#most) return true;
    this.#looks = 0;
    this.#most = Math.max(1, this.#most - STEP);
    return false;
  }

  /** Something was there. */
  came(): void {
    if (this.#looks === 0) return;
    this.#looks = 0;
    this.#most = Math.min(MOST_LOOKS, this.#most + STEP);
  }
}
