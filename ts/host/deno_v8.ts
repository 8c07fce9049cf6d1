/** LAYER 1 on Deno: what its V8 needs and tells. */
import { globals } from "./deno_globals.ts";
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

/** From this version on V8 looks at what is new when new buffers have taken this much. */
const COUNTS_BUFFERS = 15, LOOKS_AFTER = 2 ** 26;
/** Some more, for what is not counted exactly. */
const SPARE = 2 ** 20;
const OFTEN = 2 ** 23;

/**
 * Receiving, thousands a second, new processes in turn for 4.5 s, by filling the room and by a
 * buffer: 64 KB 58.4 and 65.7, and 50 and 62 later, as that room grows; 256 KB 16.0 and 18.4, 1 MB
 * 4.1 and 4.9, 4 MB 1.08 and 1.22, 16 MB 0.127 and 0.149 (0.110 if such were counted). With more
 * than is needed V8 looks at all more often: 119 times in 5 s instead of 13, with 14 MB more and
 * garbage after 16 MB. 1 GB of ballast instead of 512 MB makes it 4 % faster, 256 MB slower.
 */
export function marksEarly(
  v8: string | undefined,
  os: string,
): EarlyMarks {
  const room = ask(roomForNew);
  // Elsewhere what is not written to may count as used.
  if (os !== "linux") return { often: oftenAfter, room };
  const ballast = ask(ballastFor);
  if (!(parseInt(v8 ?? "") >= COUNTS_BUFFERS)) {
    return { often: oftenAfter, room, ballast };
  }
  const buffer = LOOKS_AFTER - OFTEN + SPARE;
  return { often: () => OFTEN, largest: OFTEN, buffer, room, ballast };
}
