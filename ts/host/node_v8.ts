/** What Node tells of V8. */
import type { EarlyMarks } from "./host.ts";
import { builtin } from "./node_builtins.ts";
import { roomForNew } from "./v8_memory.ts";

/** For the V8 of this version: from Node 24 on it marks early. */
export function marksEarly(v8: string | undefined): EarlyMarks | undefined {
  if (!(parseInt(v8 ?? "") >= 13)) return undefined;
  return {
    often: 16 * 2 ** 20,
    room: () => roomForNew(builtin("node:v8")),
  };
}
