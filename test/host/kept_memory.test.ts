// deno: --v8-flags=--expose-gc
// bun: no, only its large frames are in memory of the C library
/** Memory of large messages: kept when it is freed, not asked for again page by page. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import { gc } from "../support/collector.ts";
import { bound, closeAll, use } from "../socket/tools.ts";

const test = suite("kept memory");
test.after.each(closeAll);

const glibc = process.platform === "linux" &&
  readFileSync("/proc/self/maps", "latin1").includes("/libc.so.6");

/** Pages that the system has given to this process (man proc_pid_stat, minflt). */
function faults(): number {
  const text = readFileSync("/proc/self/stat", "latin1");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[7]);
}

const MEGABYTE = 2 ** 20;

/** Megabytes that are new to this process, while it makes and drops ever larger pieces. */
function grown(sizes: readonly number[]): number {
  const before = faults();
  for (const size of sizes) {
    new Uint8Array(size * MEGABYTE).fill(1);
    // What the first finds may be freed by another thread, for which the second waits.
    gc();
    gc();
  }
  return (faults() - before) * 4096 / MEGABYTE;
}

const run = glibc ? test : test.skip;

run("from the first large message on, freed memory is used again", async () => {
  // Otherwise there is nothing to be seen here: each comes from the system.
  assert.ok(grown([2, 3, 4]) > 8, "freed memory goes back");
  const pull = use(new Pull());
  const push = use(new Push());
  push.connect(await bound(pull));
  await push.send(new Uint8Array(100_000));
  assert.is((await pull.receive())[0]!.length, 100_000);
  gc();
  gc();
  // The largest comes from the system, and is there for the others.
  const taken = grown([5, 6, 7, 8, 9, 10, 11, 12]);
  assert.ok(taken < 30, `it still does: ${taken} of 68 MB were new`);
});

test.run();
