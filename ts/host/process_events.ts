/** LAYER 1, shared by the runtimes, which all have `process`: the end of it, or of a thread. */

/** Calls `task` at each such event; returns what takes that back. */
export function onProcess(
  event: "beforeExit" | "exit",
  task: () => void,
): () => void {
  const listener = () => task();
  process.on(event, listener);
  return () => void process.off(event, listener);
}
