/**
 * LAYER 1 on Node and Bun: a turn of the event loop that sees what has arrived.
 */
import { builtin } from "./node_builtins.ts";
import { setImmediate } from "./node_timers.ts";

/** With one processor, whoever is to answer needs it. */
let looksOut: boolean | undefined;

/**
 * So many roots in a row take 1 µs; a clock would make garbage of its own. Each waits for the
 * one before, so that a processor has next to nothing to do meanwhile, and more is left of it
 * for whoever is to answer where two share one: to read memory as often kept it busy, and a
 * round trip of 16 bytes took 50.5 µs instead of 44.8, the slowest of 100 120 instead of 113.
 */
const ROOTS = 110;
/**
 * Pauses between two looks, and before the first, in microseconds. With 1 and 1 there was a
 * quarter more garbage, and the slowest of 100 trips of 1 KB took 227 µs instead of 155, of 16
 * bytes 149 instead of 124; the median was the same, or 1 to 2 µs shorter.
 */
const PAUSE = 2, FIRST_PAUSE = 6;
let root = 2;

/** Lets so many microseconds pass. */
function pause(moment: number): void {
  let value = root;
  for (let i = moment * ROOTS; i > 0; i--) value = Math.sqrt(value + 1);
  root = value; // or it would not be worked out
}

/**
 * `Host.glance`.
 *
 * While an immediate waits, the event loop goes round without sleeping. A round takes 1.5 µs
 * and leaves half a KB of garbage, which was half of what a round trip left: with a pause in
 * each there are fewer collections, of up to 300 µs each.
 */
export function glance(task: () => void, begins: boolean): boolean {
  looksOut ??= builtin("node:os").availableParallelism() > 1;
  if (!looksOut) return false;
  pause(begins ? FIRST_PAUSE : PAUSE);
  setImmediate(task);
  return true;
}
