// deno: --v8-flags=--expose-gc
// bun: no, what its collector leaves is chance
/** Memory of bodies that were sent: who gets it, and how long it is there. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SentMemory } from "../../ts/syscall/sent_memory.ts";
import { until } from "../support/deadline.ts";
import { gc } from "../support/collector.ts";

const test = suite("memory of what was sent");
const MB = 2 ** 20;

test("what was used last is taken first, and is neither too small nor much too large", () => {
  const sent = new SentMemory();
  const [first, second] = [new ArrayBuffer(100_000), new ArrayBuffer(100_000)];
  sent.keep(first);
  sent.keep(second);
  assert.is(sent.take(100_001), undefined);
  assert.is(sent.take(79_000), undefined);
  assert.is(sent.take(100_000), second);
  assert.is(sent.take(90_000), first);
  assert.is(sent.take(90_000), undefined);
  sent.keep(first);
  sent.clear();
  assert.is(sent.take(90_000), undefined);
});

test("33 MB are kept always, more until somebody collects", async () => {
  const sent = new SentMemory();
  const seen: WeakRef<ArrayBuffer>[] = [];
  const left = () => seen.filter((it) => it.deref() !== undefined).length;
  for (let i = 0; i < 6; i++) {
    const memory = new ArrayBuffer(16 * MB);
    seen.push(new WeakRef(memory));
    sent.keep(memory);
  }
  assert.is(left(), 6);
  // Whom this job has seen stays until its end.
  await until(() => {
    gc();
    return new Promise((resolve) => setTimeout(() => resolve(left() < 6)));
  }, "a collection");
  assert.is(left(), 2);
  assert.ok(sent.take(16 * MB) && sent.take(16 * MB));
  assert.is(sent.take(16 * MB), undefined);
});

test("one piece that is larger than all that is kept is there until then", () => {
  const sent = new SentMemory();
  const memory = new ArrayBuffer(40 * MB);
  const small = new ArrayBuffer(MB / 2);
  sent.keep(small);
  sent.keep(memory);
  assert.is(sent.take(MB / 2), small, "nothing makes way for it");
  assert.is(sent.take(40 * MB), memory);
  assert.is(sent.take(40 * MB), undefined);
});

test.run();
