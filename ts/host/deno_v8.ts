/** LAYER 1 on Deno: what its V8 needs and tells. */
import { deno, globals } from "./deno_globals.ts";
import type { EarlyMarks } from "./host.ts";
import {
  ballastFor,
  oftenAfter,
  roomForNew,
  type V8Statistics,
} from "./v8_memory.ts";

/** What V8 tells; undefined where Deno does not pass it on, as in 2.4. */
function ask(
  question: (v8: V8Statistics) => number,
): () => number | undefined {
  return () => {
    try {
      // 5 ms, the first time.
      return question(globals.process.getBuiltinModule("node:v8"));
    } catch {
      return undefined; // all that it does then is to throw ERR_NOT_IMPLEMENTED
    }
  };
}

/**
 * Receiving 64 KB, thousands a second, new processes in turn for 3.5 s: 25.8 so, 21.4 without
 * ballast, 23.9 and 25.6 with 64 and 128 MB, 22.8 with garbage after 4 MB each; and 16.6 with one
 * large array after 4 MB. 16 MB, a second: 85, 59, 62, 74, 75 and 68.
 */
export function marksEarly(): EarlyMarks {
  return {
    often: oftenAfter,
    room: ask(roomForNew),
    ...(deno.build.os === "linux" && { ballast: ask(ballastFor) }),
  };
}
