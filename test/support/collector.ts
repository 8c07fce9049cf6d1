/** The engine's collector: on Node and Bun always, on Deno with `--v8-flags=--expose-gc`. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

function find(): () => void {
  const { gc, Bun } = globalThis as {
    gc?: () => void;
    Bun?: { gc(wait: boolean): void };
  };
  if (gc) return gc;
  if (Bun) return () => Bun.gc(true);
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** Collects all that nobody refers to. */
export const gc: () => void = find();
