// deno: --v8-flags=--expose-gc
// bun: no, what its collector leaves is chance
/** Memory of bodies that were sent: who gets it, and how long it is there. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Spare } from "../../ts/syscall/spare.ts";
import { until } from "../support/deadline.ts";
import { gc } from "../support/collector.ts";

const test = suite("spare memory");
const MB = 2 ** 20;

test("what was used last is taken first, and is neither too small nor much too large", () => {
  const spare = new Spare();
  const [first, second] = [new ArrayBuffer(100_000), new ArrayBuffer(100_000)];
  spare.keep(first);
  spare.keep(second);
  assert.is(spare.take(100_001), undefined);
  assert.is(spare.take(79_000), undefined);
  assert.is(spare.take(100_000), second);
  assert.is(spare.take(90_000), first);
  assert.is(spare.take(90_000), undefined);
  spare.keep(first);
  spare.clear();
  assert.is(spare.take(90_000), undefined);
});

test("33 MB are kept always, more until somebody collects", async () => {
  const spare = new Spare();
  const seen: WeakRef<ArrayBuffer>[] = [];
  const left = () => seen.filter((it) => it.deref() !== undefined).length;
  for (let i = 0; i < 6; i++) {
    const memory = new ArrayBuffer(16 * MB);
    seen.push(new WeakRef(memory));
    spare.keep(memory);
  }
  assert.is(left(), 6);
  // Whom this job has seen stays until its end.
  await until(() => {
    gc();
    return new Promise((resolve) => setTimeout(() => resolve(left() < 6)));
  }, "a collection");
  assert.is(left(), 2);
  assert.ok(spare.take(16 * MB) && spare.take(16 * MB));
  assert.is(spare.take(16 * MB), undefined);
});

test("one piece that is larger than all that is kept is there until then", () => {
  const spare = new Spare();
  const memory = new ArrayBuffer(40 * MB);
  const small = new ArrayBuffer(MB / 2);
  spare.keep(small);
  spare.keep(memory);
  assert.is(spare.take(MB / 2), small, "nothing makes way for it");
  assert.is(spare.take(40 * MB), memory);
  assert.is(spare.take(40 * MB), undefined);
});

test.run();
