/** What V8 tells of its memory, in every runtime that has it. */

/** What is needed of the module `node:v8`. */
export interface V8Statistics {
  getHeapSpaceStatistics(): {
    space_name: string;
    space_available_size: number;
  }[];
  getHeapStatistics(): { heap_size_limit: number };
}

/** Bytes that new objects may take until V8 looks at them. */
export function roomForNew(v8: V8Statistics): number {
  return v8.getHeapSpaceStatistics()
    .find(({ space_name }) => space_name === "new_space")
    ?.space_available_size ?? 0;
}

/**
 * `EarlyMarks.often`: the more garbage is made, the more seldom. Receiving 64 KB on Deno 2.9 in this
 * way, for 14 s in which the room grows, thousands a second: 62.4 so, 61.5 after 24 MB each, 45.3
 * after 8 MB; Node 24: 74.2, and 68.9 after 16 MB. After 64 MB V8 would look by itself.
 */
export const oftenAfter = (garbage: number): number => 2 ** 24 + 2 * garbage;

const MOST_BALLAST = 2 ** 29;
/** The more memory V8 has, the less often it looks; but not all may be ballast. */
const LARGEST_SHARE = 1 / 8;

/** Bytes of ballast for what V8 may have: 512 MB, where that may be 4 GB or more. */
export function ballastFor(v8: V8Statistics): number {
  const { heap_size_limit } = v8.getHeapStatistics();
  return Math.min(MOST_BALLAST, Math.floor(heap_size_limit * LARGEST_SHARE));
}
