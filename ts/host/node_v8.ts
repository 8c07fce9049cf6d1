/** What Node tells of V8. */
import type { EarlyMarks } from "./host.ts";
import { builtin } from "./node_builtins.ts";

/** Bytes that new objects may take until V8 looks at them. */
export function roomForNew(): number {
  return builtin("node:v8").getHeapSpaceStatistics()
    .find(({ space_name }) => space_name === "new_space")
    ?.space_available_size ?? 0;
}

/** For the V8 of this version: from Node 24 on it marks early. */
export function marksEarly(v8: string | undefined): EarlyMarks | undefined {
  if (!(parseInt(v8 ?? "") >= 13)) return undefined;
  return { often: 16 * 2 ** 20, room: roomForNew };
}
