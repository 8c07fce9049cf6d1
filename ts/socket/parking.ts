/**
 * Operations that wait: a promise that is settled when libzmq can do what was asked,
 * when time is up, when a signal says so, or when the socket closes.
 */
import type { Reactor } from "../reactor/reactor.ts";

/** How long to wait. */
export interface Wait {
  /** Ends the wait: the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** An operation that waits. */
export interface Parked {
  /** Only to be held: a socket with something pending is not collected. */
  readonly owner: object | undefined;
  /** Tries it again. */
  attempt(): void;
  reject(error: unknown): void;
}

export interface Operation<T> {
  /** Where the operation is to be found while it waits; undefined when it is over. */
  place(parked: Parked | undefined): void;
  /** Tries it; undefined: not yet. */
  attempt(): { value: T } | undefined;
  /** Runs once, whatever happens, when nothing is parked any more: it may pump. */
  release?: ((done: boolean) => void) | undefined;
  /** Whose operation it is. */
  owner: object | undefined;
  /** What to reject with when time is up. */
  expired(): Error;
}

/** Waits until the operation has a result; -1 ms waits for ever, 0 not at all. */
export function park<T>(
  reactor: Reactor,
  { timeout, signal }: Wait & { timeout: number },
  operation: Operation<T>,
): Promise<T> {
  if (timeout === 0) {
    operation.release?.(false);
    return Promise.reject(operation.expired());
  }
  return new Promise((resolve, reject) => {
    let timer: { cancel(): void } | undefined;
    const aborted = () => parked.reject(signal!.reason);
    const finish = (done: boolean) => {
      timer?.cancel();
      signal?.removeEventListener("abort", aborted);
      operation.place(undefined);
      operation.release?.(done);
      reactor.drop();
    };
    const parked: Parked = {
      owner: operation.owner,
      attempt() {
        try {
          const result = operation.attempt();
          if (result === undefined) return;
          finish(true);
          resolve(result.value);
        } catch (error) {
          finish(false);
          reject(error);
        }
      },
      reject(error) {
        finish(false);
        reject(error);
      },
    };
    reactor.hold();
    operation.place(parked);
    signal?.addEventListener("abort", aborted);
    if (timeout > 0) {
      const expired = () => parked.reject(operation.expired());
      timer = reactor.host.setTimer(expired, timeout);
    }
  });
}
