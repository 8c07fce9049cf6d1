/** The engine's collector: on Node always, on Deno with `--v8-flags=--expose-gc`. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

function find(): () => void {
  const { gc } = globalThis as { gc?: () => void };
  if (gc) return gc;
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** Collects all that nobody refers to. */
export const gc: () => void = find();
