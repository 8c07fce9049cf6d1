/** Waiting with a limit, so that a test that hangs says what it waited for. */

// Taken before the leak check counts timers: those of the tests are none of its business.
const { setTimeout, clearTimeout } = globalThis;

/** Far more than anything takes on a busy machine; reached only by what is broken. */
export const PATIENCE_MS = 4_000;

/** The promise's outcome, or an error that names `what` did not come in time. */
export function within<T>(
  promise: Promise<T>,
  what: string,
  ms: number = PATIENCE_MS,
): Promise<T> {
  // Here, so that the trace leads to the test and not to a timer.
  const error = new Error(`${what}: nothing within ${ms} ms`);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(error), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Lets this much time pass; for polling and for "nothing happens", not for waiting. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** Asks again and again until `check` answers with something true, which is returned. */
export async function until<T>(
  check: () => T | Promise<T>,
  what: string,
  ms: number = PATIENCE_MS,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await check();
    if (answer) return answer;
    if (performance.now() > end) {
      throw new Error(`${what}: not within ${ms} ms`);
    }
    await pause(5);
  }
}

/** Whether the promise is still pending after `ms`. */
export async function pendingFor(
  promise: Promise<unknown>,
  ms: number,
): Promise<boolean> {
  const settled = promise.then(() => false, () => false);
  return await Promise.race([settled, pause(ms).then(() => true)]);
}

/** The error that `action` throws or rejects with; it must fail. */
export async function failure(
  action: () => unknown,
  what: string,
): Promise<Error & { code?: string }> {
  try {
    await within(Promise.resolve(action()), what);
  } catch (error) {
    return error as Error;
  }
  throw new Error(`${what}: did not fail`);
}
