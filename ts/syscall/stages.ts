/**
 * Memory for writes. They are staged, because memory of the module may move, or be another
 * message's, under a slow write: in the smallest of these sizes that holds all, or in the
 * largest.
 */
const SIZES = [4096, 65536, 1 << 20] as const;
/** No write stages more. */
export const LARGEST_STAGE: number = SIZES[2];
/** Free stages kept of each size. */
const MOST_FREE = 8;

export class Stages {
  readonly #free: Uint8Array[][] = SIZES.map(() => []);

  /** Lends room for `size` bytes, or as many as there can be. */
  take(size: number): Uint8Array {
    let i = 0;
    while (i < SIZES.length - 1 && SIZES[i]! < size) i++;
    return this.#free[i]!.pop() ?? new Uint8Array(SIZES[i]!);
  }

  /** What `take` lent, or was written of it, is no longer used. */
  giveBack(stage: Uint8Array): void {
    const { buffer } = stage;
    const i = SIZES.indexOf(buffer.byteLength as typeof SIZES[number]);
    const free = this.#free[i]!;
    // Many slow writes at once are over some day.
    if (free.length >= MOST_FREE) return;
    const isAll = stage.length === buffer.byteLength;
    free.push(isAll ? stage : new Uint8Array(buffer));
  }
}
