/**
 * Garbage, for engines that else look at all that lives: see `EarlyMarks`.
 *
 * Where V8 counts new buffers, a large one that is never written to is enough, and costs nothing
 * else. Elsewhere it fills the room for new objects, which V8 keeps. Where nobody tells how much
 * that is, one large array does nearly as well: it lies apart, and a few of them are more than the
 * room. But V8 may give such memory back to the system, and ask for it again page by page.
 */
import type { EarlyMarks } from "../host/host.ts";
import type { Allocate } from "../syscall/bodies.ts";
import { allocate } from "./allocate.ts";

/** The garbage while it is made: what nobody could see would not be made. */
export let garbage: unknown;

/**
 * Numbers of 4 KB are filled with zeros in 0.6 to 0.75 of the time of an array. Two sizes in
 * turn: one alone is a constant, which is made once. What is still referred to when V8 looks
 * makes the room grow, so each is gone before the next.
 */
const BITS = [32768n, 32767n] as const, BYTES = 4112;
/**
 * Larger rooms, which V8 has where much survives or the program asks for them, are not filled:
 * with 64 MB that is dearer than the looks (1 MB 1275 instead of 1440 a second), with 16 MB not.
 */
const MOST_ROOM = 2 ** 24;

/** Of the large array: 2.4 MB. */
const ELEMENTS = 300_000;

/** `allocate`, with some garbage after every so many bytes. */
export function allocateWithGarbage(marks: EarlyMarks): Allocate {
  const { buffer, largest = Infinity } = marks;
  let left = marks.often(0);
  let held: Ballast | undefined;
  return (size, content) => {
    if (size <= largest) left -= size;
    if (left <= 0) {
      if (marks.ballast) held ??= takeBallast(marks.ballast() ?? 0);
      const made = buffer && held?.memory
        ? throwAway(buffer)
        : fill(marks.room());
      left = marks.often(made);
    }
    return allocate(size, content);
  };
}

/** Nothing where there is no room for it. */
interface Ballast {
  readonly memory?: ArrayBuffer;
}

/** What all instances have together, for as long as one of them is there. */
let ballast: WeakRef<Ballast> | undefined;

function takeBallast(size: number): Ballast {
  const known = ballast?.deref();
  if (known) return known;
  let made: Ballast = {};
  try {
    made = { memory: new ArrayBuffer(size) };
  } catch {
    // Without it, all is as before.
  }
  ballast = new WeakRef(made);
  return made;
}

/** A buffer of so many bytes; returns how many. */
function throwAway(size: number): number {
  try {
    garbage = new ArrayBuffer(size);
  } catch {
    // Where there is no room for it, the engine looks when it would without.
  }
  garbage = undefined;
  return size;
}

/** Objects of so many bytes; returns how many. */
function fill(room: number | undefined): number {
  if (room === undefined) {
    garbage = new Array(ELEMENTS);
    garbage = undefined;
    return 0;
  }
  if (room > MOST_ROOM) return room;
  let which: 0 | 1 = 0;
  for (let left = room; left > 0; left -= BYTES) {
    garbage = 1n << BITS[which];
    garbage = undefined;
    which = which === 0 ? 1 : 0;
  }
  return room;
}
