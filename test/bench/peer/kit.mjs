// What every job of a benchmark peer needs: the line protocol, meters, test messages.
//
// A peer writes JSON lines to stdout and waits for lines on stdin. The same code runs
// on every runtime and with every package, so it uses only what all of them have.

import process from "node:process";
import * as perf from "node:perf_hooks";

export const now = () => performance.now();

/** Milliseconds that two processes agree on. */
export const wallClock = () => performance.timeOrigin + performance.now();

export function say(value) {
  console.log(JSON.stringify(value));
}

/** Resolves when the orchestrator writes a line, or has gone. */
export function told() {
  return new Promise((resolve) => {
    const done = () => {
      process.stdin.pause();
      resolve();
    };
    process.stdin.once("data", done).once("end", done);
    process.stdin.resume();
  });
}

/** Starts to measure; the result stops, and gives seconds and CPU seconds. */
export function meter() {
  const cpu = process.cpuUsage();
  const start = now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { seconds: (now() - start) / 1000, cpu: (user + system) / 1e6 };
  };
}

const TICK_MS = 10;

/** How late timers fire: milliseconds, from now until the result is called. */
export function delayMeter() {
  if (typeof globalThis.Deno === "undefined" && !process.versions.bun) {
    const histogram = perf.monitorEventLoopDelay({ resolution: TICK_MS });
    histogram.enable();
    return () => {
      histogram.disable();
      if (histogram.count === 0) return {};
      const late = (ns) => Math.max(0, ns / 1e6 - TICK_MS);
      return {
        delayP99: late(histogram.percentile(99)),
        delayMax: late(histogram.max),
      };
    };
  }
  // The other runtimes have no such histogram, or one that never records.
  const delays = [];
  let last = now();
  const timer = setInterval(() => {
    const at = now();
    delays.push(Math.max(0, at - last - TICK_MS));
    last = at;
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    if (delays.length === 0) return {};
    delays.sort((a, b) => a - b);
    return {
      delayP99: delays[Math.ceil(delays.length * 0.99) - 1],
      delayMax: delays.at(-1),
    };
  };
}

/** All of the above at once. */
export function meters() {
  const delays = delayMeter();
  const stop = meter();
  return () => ({ ...stop(), ...delays() });
}

// The first and last byte of a message say which one it is: 0 to 250 in turn, or a mark.
const KINDS = 251;
export const PROBE = 253, START = 254, STOP = 255;

/**
 * Messages to send in turn, as many as the receiver expects. They are never changed,
 * because the native addon sends from the caller's memory.
 */
export function bodies(size) {
  return Array.from(
    { length: kinds(size) },
    (_, index) => Buffer.alloc(size, index),
  );
}

export const mark = (size, kind) => Buffer.alloc(size, kind);

const kinds = (size) =>
  Math.max(3, Math.min(KINDS, Math.floor(2 ** 20 / size)));

/** Checks the messages of one receiver and counts them; START calls `begin`. */
export class Tally {
  count = 0;
  #size;
  #kinds;
  #next = 0;
  #begin;
  #begun = false;

  constructor(size, begin) {
    this.#size = size;
    this.#kinds = kinds(size);
    this.#begin = begin;
  }

  /** Takes one message; true when it was the last. */
  take(body) {
    const kind = body[0];
    if (body.length !== this.#size || body[this.#size - 1] !== kind) {
      throw new Error(`a broken message of ${body.length} bytes`);
    }
    if (kind === this.#next) {
      this.count++;
      if (++this.#next === this.#kinds) this.#next = 0;
      return false;
    }
    if (kind === START) {
      this.count = 0;
      this.#begun = true;
      this.#begin();
      return false;
    }
    if (kind === PROBE) return false;
    if (kind !== STOP || !this.#begun) {
      throw new Error(`message ${kind} instead of ${this.#next}`);
    }
    return true;
  }
}

/** Calls `step`, which tells how much it did, until the time is over or the count is reached; returns how many. */
export async function repeat({ seconds = Infinity, count = Infinity }, step) {
  const end = now() + seconds * 1000;
  let done = 0;
  while (done < count && now() < end) done += await step();
  return done;
}
