/**
 * LAYER 1 on Deno: what small writes read from.
 *
 * A write ends with a promise. Whoever waits for it goes through libzmq once more for each
 * message of a conversation; a copy of few bytes is cheaper.
 */

/** So much is copied. */
export const SMALL_WRITE = 2048;
/** As many are kept for writes to come. */
const SPARE = 16;

export interface Copy {
  readonly memory: Uint8Array;
  /** The bytes to write. */
  part: Uint8Array;
}

const spare: Copy[] = [];

/** Of at most SMALL_WRITE bytes. */
export function copyOf(bytes: Uint8Array): Copy {
  let copy = spare.pop();
  if (copy === undefined) {
    const memory = new Uint8Array(SMALL_WRITE);
    copy = { memory, part: memory };
  }
  // A conversation often writes the same size again and again.
  if (copy.part.length !== bytes.length) {
    copy.part = copy.memory.subarray(0, bytes.length);
  }
  copy.part.set(bytes);
  return copy;
}

/** Nothing reads from it any more. */
export function giveBack(copy: Copy): void {
  if (spare.length < SPARE) spare.push(copy);
}
