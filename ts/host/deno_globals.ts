/** LAYER 1 on Deno: its global objects, and what all files of this host need of them. */
import { toHostError } from "./deno_errors.ts";
import type { DenoApi, DenoGlobals, NetAddr } from "./deno_types.ts";
import type { HostError, HostTimer } from "./host.ts";

export const globals = globalThis as unknown as DenoGlobals;
// Undefined on other runtimes, where this file may be bundled but `denoHost` is not called.
export const deno: DenoApi = globals.Deno;
/** As they are when the package is loaded: tests replace them by some that wait to be told. */
export const {
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  queueMicrotask,
} = globals;

// Not looked at on other runtimes, where they are loaded then.
const { performance, crypto } = deno ? globalThis : {} as typeof globalThis;
export const now = deno && performance.now.bind(performance);
export const getRandomValues = deno && crypto.getRandomValues.bind(crypto);

export const toError = (what: string, cause: unknown): HostError =>
  toHostError(what, cause, deno.build.os);

let several: boolean | undefined;

/** Whether there are processors for us and for a peer. With one, who looks for bytes delays them. */
export function hasSeveralProcessors(): boolean {
  return several ??= globals.navigator.hardwareConcurrency > 1;
}

export function setTimer(task: () => void, ms: number): HostTimer {
  // Before Deno 2.6 one that is due fires also after it was cleared.
  let cancelled = false;
  const timer = setTimeout(() => cancelled || task(), ms);
  // From node_modules, Deno gives a package Node's timers, which older ones do not know here.
  if (typeof timer === "number") deno.unrefTimer(timer);
  else (timer as { unref(): void }).unref();
  return {
    cancel() {
      cancelled = true;
      clearTimeout(timer);
    },
  };
}

/** Closes, also what is closed already. */
export function release(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // Only BadResource is possible: closed before.
  }
}

/** An address as `Connection` has it; undefined for ipc. */
export function endpoint(addr: NetAddr) {
  return addr.hostname === undefined || addr.port === undefined
    ? undefined
    : { host: addr.hostname, port: addr.port };
}
