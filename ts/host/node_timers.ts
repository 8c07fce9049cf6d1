/**
 * Node's timers and clock as they are when the package is loaded. Not looked up at each use: tests
 * replace them by some that wait to be told, and those of a page (in Electron) are no objects.
 */
import { builtin } from "./node_builtins.ts";

export const {
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
} = builtin("node:timers");

export const { nextTick, hrtime } = process;

/** Bun has it at hand, and it takes half as long as `hrtime` there. */
export const performanceNow: (() => number) | undefined = "Bun" in globalThis
  ? performance.now.bind(performance)
  : undefined;
