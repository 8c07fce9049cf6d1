/**
 * LAYER 1 on Deno: many connections at once, each gets its turn.
 *
 * Deno's event loop does 128 operations at a time and takes up the others in reverse order.
 * When more are ready than that, those in the middle starve for as long as the first and last
 * come again: the slowest of 1000 clients got a twentieth of the average. So in a crowd a
 * connection that was read from waits for the end of the round: until fewer are left than that.
 */
import { globals, setTimer } from "./deno_globals.ts";
import { standing } from "./deno_standing.ts";
import type { HostTimer } from "./host.ts";

/** What Deno does at a time: with fewer connections nobody starves. */
const AT_ONCE = 128;
/** So many reads that end in one turn, and writes that have not, are a crowd. */
const CROWD = 64;
/** And after so few in a turn hardly one is left. */
const FEW = 16;
/** What was ready ends sooner than that. */
const LAST_MS = 2;

let crowded = false;
/** Reads that ended in this turn. */
let ended = 0;
let writing = 0;
let timer: HostTimer | undefined;
let held: (() => void)[] = [];

/** A read has ended: undefined if the next may begin, else a promise of the next round. */
export function nextRound(): Promise<void> | undefined {
  if (standing.size <= AT_ONCE && !crowded) return undefined;
  if (++ended === 1) globals.process.nextTick(turned);
  if (ended + writing >= CROWD && standing.size > AT_ONCE) crowded = true;
  return crowded ? new Promise((resolve) => held.push(resolve)) : undefined;
}

export function writeBegins(): void {
  writing++;
}

export function writeEnds(): void {
  writing--;
}

function turned(): void {
  // Slow writes take part: where they take the turn's operations, few reads end.
  const few = ended + writing < FEW;
  ended = 0;
  if (!crowded) return;
  // If these were exactly all, nothing more comes to end the round.
  timer?.cancel();
  timer = undefined;
  if (few) release();
  else timer = setTimer(release, LAST_MS);
}

function release(): void {
  const waiting = held;
  held = [];
  crowded = waiting.length >= CROWD && standing.size > AT_ONCE;
  for (const resolve of waiting) resolve();
}
