/** LAYER 1, shared by the runtimes, which all have `process`: the end of it, or of a thread. */

/**
 * Calls `task` at each such event, at `beforeExit` before the handlers of the program; returns
 * what takes that back.
 */
export function onProcess(
  event: "beforeExit" | "exit",
  task: () => void,
): () => void {
  const listener = () => task();
  if (event === "beforeExit") process.prependListener(event, listener);
  else process.on(event, listener);
  return () => void process.off(event, listener);
}
