/**
 * Garbage, for engines that else look at all that lives: see `EarlyMarks`.
 *
 * Deno receives frames of 1 MB with 3 such looks instead of 35 in 1.5 s, and 2083 a second
 * instead of 1385; Node 24 has none, and receives 2.6 thousand a second instead of 0.9 to 1.1.
 */
import type { EarlyMarks } from "../host/host.ts";
import { allocate } from "./allocate.ts";

/** The garbage while it is made: what nobody could see would not be made. */
export let garbage: unknown[] | undefined;

/**
 * One piece of so many elements, 2.4 MB, lies apart from other new objects, and two of them
 * are more than the place for such takes: then what is new is looked at. Where that place is not
 * known this is best (Deno 1 MB: x1.3 of what small pieces do), but not where V8 gives it back
 * to the system each time, as on Node 24: 600 pages to ask for, of 48 MB a quarter of the time.
 */
const ELEMENTS = 300_000;

/**
 * Small pieces fill the room for new objects, which V8 keeps. Of the last something may be seen
 * still when it looks; what survives such looks makes the room grow, so it is little.
 */
const SMALL = 512, SMALL_BYTES = 8 * SMALL;
/** Where a program has given V8 more room than its own most, filling it is dearer than all looks. */
const MOST_ROOM = 2 ** 24;

/** `allocate`, with some garbage after every so many bytes. */
export function allocateWithGarbage(
  { often, room }: EarlyMarks,
): (size: number) => Uint8Array {
  let since = 0;
  return (size) => {
    since += size;
    if (since >= often) {
      since = 0;
      if (room) fill(room());
      else make(ELEMENTS);
    }
    return allocate(size);
  };
}

function make(elements: number): void {
  garbage = new Array(elements);
  garbage = undefined;
}

function fill(room: number): void {
  if (room > MOST_ROOM) return;
  for (let left = room; left > 0; left -= SMALL_BYTES) make(SMALL);
}
