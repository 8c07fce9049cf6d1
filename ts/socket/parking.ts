/**
 * Operations that wait: a promise that is settled when libzmq can do what was asked,
 * when time is up, when a signal says so, or when the socket closes.
 *
 * A program waits for almost every message of a conversation. So a wait is one object, and
 * what a socket does again and again is made once.
 */
import type { HostTimer } from "../host/host.ts";
import type { Reactor } from "../reactor/reactor.ts";
import { errnoOf } from "../syscall/errno.ts";

/** How long to wait. */
export interface Wait {
  /** Ends the wait: the promise rejects with the signal's reason. A TypeError if it is none. */
  signal?: AbortSignal | undefined;
}

export const NO_WAIT: Wait = {};

/** Whether a signal says already that there is nothing to wait for. @throws TypeError if it is none */
export function isAborted(signal: AbortSignal | undefined): boolean {
  if (signal === undefined) return false;
  const { addEventListener, removeEventListener } = Object(signal);
  if (
    typeof addEventListener !== "function" ||
    typeof removeEventListener !== "function"
  ) {
    const what = typeof signal === "object"
      ? Object.prototype.toString.call(signal)
      : String(signal);
    throw new TypeError(`signal must be an AbortSignal: ${what}`);
  }
  return signal.aborted;
}

/** What libzmq answers where an operation has to wait: there is no message, or no room. */
export const EAGAIN: number = -errnoOf("EAGAIN");
/** A REQ or REP whose turn it is not; like EAGAIN, that can change. */
export const EFSM: number = -errnoOf("EFSM");

/** The operation has to wait on. */
export const NOT_YET: unique symbol = Symbol("not yet");

export interface Operation<T> {
  /** Where the operation is to be found while it waits; undefined when it is over. */
  place(parked: Parked<T> | undefined): void;
  /** Tries it. */
  attempt(): T | typeof NOT_YET;
  /** Runs once, whatever happens, when nothing is parked any more: it may pump. */
  release?: ((done: boolean) => void) | undefined;
  /** What to reject with when time is up. */
  expired(): Error;
}

const nothing = (): void => {};
/** What settles the promise that is being made: no closure for each. */
let settle: (value: unknown) => void = nothing;
let refuse: (error: unknown) => void = nothing;

function keep(
  resolve: (value: never) => void,
  reject: (error: unknown) => void,
): void {
  settle = resolve as typeof settle;
  refuse = reject;
}

/** An operation that waits. */
export class Parked<T> {
  /** Only to be held: a socket with something pending is not collected. */
  readonly owner: object | undefined;
  readonly promise: Promise<T>;
  readonly #reactor: Reactor;
  readonly #operation: Operation<T>;
  readonly #signal: AbortSignal | undefined;
  #aborted: (() => void) | undefined;
  #timer: HostTimer | undefined;
  #over = false;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    reactor: Reactor,
    operation: Operation<T>,
    timeout: number,
    signal: AbortSignal | undefined,
    owner: object | undefined,
  ) {
    this.owner = owner;
    this.#reactor = reactor;
    this.#operation = operation;
    this.#signal = signal;
    this.promise = new Promise(keep);
    this.#resolve = settle;
    this.#reject = refuse;
    // They would keep the promise, and with it the message.
    settle = refuse = nothing;
    reactor.hold();
    operation.place(this);
    if (signal) {
      this.#aborted = () => this.reject(signal.reason);
      try {
        signal.addEventListener("abort", this.#aborted);
      } catch (error) {
        this.reject(error); // that of a signal of the program's own
      }
    }
    // A signal may have been aborted, or the socket closed, by who heard of the listener.
    if (timeout > 0 && !this.#over) {
      const expired = () => this.reject(operation.expired());
      this.#timer = reactor.host.setTimer(expired, timeout);
    }
  }

  #finish(done: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#operation.place(undefined);
    this.#operation.release?.(done);
    this.#reactor.drop();
    if (!this.#aborted) return;
    try {
      this.#signal!.removeEventListener("abort", this.#aborted);
    } catch {
      // libzmq may have been the caller, which such a signal must not stop.
    }
  }

  /** Tries it again. */
  attempt(): void {
    try {
      const result = this.#operation.attempt();
      if (result !== NOT_YET) this.resolve(result);
    } catch (error) {
      this.reject(error);
    }
  }

  resolve(value: T): void {
    this.#finish(true);
    this.#resolve(value);
  }

  reject(error: unknown): void {
    this.#finish(false);
    this.#reject(error);
  }
}

/** Waits until the operation has a result; -1 ms waits for ever, 0 not at all. */
export function park<T>(
  reactor: Reactor,
  operation: Operation<T>,
  timeout: number,
  signal: AbortSignal | undefined,
  owner: object | undefined,
): Promise<T> {
  if (timeout !== 0) {
    return new Parked(reactor, operation, timeout, signal, owner).promise;
  }
  operation.release?.(false);
  return Promise.reject(operation.expired());
}
