/**
 * Garbage, for engines that else look at all that lives: see `EarlyMarks`.
 *
 * Deno receives frames of 1 MB with 3 such looks instead of 35 in 1.5 s, and 2083 a second
 * instead of 1385.
 */
import type { EarlyMarks } from "../host/host.ts";
import { allocate } from "./allocate.ts";

/** The garbage while it is made: what nobody could see would not be made. */
export let garbage: unknown[] | undefined;

/**
 * One piece of so many elements, 2.4 MB, lies apart from other new objects, and a few of them
 * are more than the place for such takes: then what is new is looked at. Best for Deno, where
 * small pieces instead receive 1 MB at 0.74 of the rate.
 */
const ELEMENTS = 300_000;

/**
 * Small pieces fill the room for new objects, which V8 keeps, while Node 24 gives large ones
 * back to the system and asks for 600 pages each time: 1 MB 3.1 instead of 1.7 thousand a second,
 * where a page takes 12 µs. What is still referred to when V8 looks makes the room grow, so each
 * piece is gone before the next.
 */
const SMALL = 512, SMALL_BYTES = 8 * SMALL;
/**
 * Larger rooms, which V8 has where much survives or the program asks for them, are not filled:
 * with 64 MB that is dearer than the looks (1 MB 1275 instead of 1440 a second), with 16 MB not.
 */
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
