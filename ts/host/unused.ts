/** LAYER 1, shared by the runtimes: what is kept for a while, because it is often of use again. */
import type { Host } from "./host.ts";

const IDLE_MS = 100;

/** Returns what to call when something may be unused: if it still is a while later, `undo` is. */
export function laterUndone(
  host: Pick<Host, "setTimer">,
  isUnused: () => boolean,
  undo: () => void,
): () => void {
  let waits = false;
  return () => {
    if (waits || !isUnused()) return;
    waits = true;
    host.setTimer(() => {
      waits = false;
      if (isUnused()) undo();
    }, IDLE_MS);
  };
}
