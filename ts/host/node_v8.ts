/** What Node tells of V8. */
import type { EarlyMarks } from "./host.ts";
import { builtin } from "./node_builtins.ts";
import { oftenAfter, roomForNew } from "./v8_memory.ts";

/**
 * For the V8 of this version: from Node 24 on it marks early. 1 MB, 3.1 thousand a second with
 * the room filled and 1.7 with one large array, where a new page takes 12 µs. Ballast changes
 * nothing here (64 KB 42 and 46 thousand, 1 MB 3.0, 16 MB 117 and 126 a second without).
 */
export function marksEarly(v8: string | undefined): EarlyMarks | undefined {
  if (!(parseInt(v8 ?? "") >= 13)) return undefined;
  return {
    often: oftenAfter,
    room: () => roomForNew(builtin("node:v8")),
  };
}
