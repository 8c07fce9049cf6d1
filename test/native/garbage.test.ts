// deno: --v8-flags=--expose-gc
// bun: no, its engine is not V8
/** Garbage that has V8 look at what is new. */
import process from "node:process";
import * as v8 from "node:v8";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { marksEarly } from "../../ts/host/node_v8.ts";
import { ballastFor, oftenAfter, roomForNew } from "../../ts/host/v8_memory.ts";
import { allocateWithGarbage } from "../../ts/native/garbage.ts";
import { gc } from "../support/collector.ts";
import { until } from "../support/deadline.ts";
import { isDeno } from "../socket/tools.ts";

const test = suite("garbage");

/** Bytes of new objects. */
function used(): number {
  return v8.getHeapSpaceStatistics().find(({ space_name }) =>
    space_name === "new_space"
  )!.space_used_size;
}

test("V8 is helped from version 13 on", () => {
  for (const old of [undefined, "", "11.3.244.8-node.30", "12.4.254.21"]) {
    assert.is(marksEarly(old), undefined, old);
  }
  for (const version of ["13.6.233.17-node.41", "14.6.202", "15.0"]) {
    assert.ok(marksEarly(version)!.room()! > 0, version);
  }
});

test("it is made after every so many bytes, of pieces of any size", () => {
  let asked = 0;
  const allocate = allocateWithGarbage({
    often: () => 1000,
    room: () => (asked++, 0),
  });
  assert.is(allocate(999).length, 999);
  assert.is(asked, 0);
  allocate(1);
  assert.is(asked, 1);
  for (let i = 0; i < 100; i++) allocate(99);
  // After eleven pieces each time.
  assert.is(asked, 1 + 9);
  allocate(5000);
  assert.is(asked, 11);
});

test("it is made the more seldom, the more of it there is", () => {
  let asked = 0;
  const allocate = allocateWithGarbage({
    often: (garbage) => 100 + garbage,
    room: () => 1000 * asked++,
  });
  const due = (size: number) => {
    allocate(size - 1);
    const before = asked;
    allocate(1);
    return asked === before + 1;
  };
  assert.ok(due(100));
  assert.ok(due(100));
  assert.ok(due(1100));
  assert.ok(due(2100));
  assert.ok(oftenAfter(2 ** 24) < 2 ** 26, "V8 looks by itself then");
});

test("what is new is looked at when the room is filled, and not sooner", () => {
  const allocate = (room: number) =>
    allocateWithGarbage({ often: () => 1, room: () => room })(1);
  // The first calls compile.
  for (let i = 0; i < 3; i++) allocate(roomForNew(v8));
  const before = used(), room = roomForNew(v8);
  allocate(room / 2);
  assert.ok(used() > before + room / 4, "half is filled");
  allocate(roomForNew(v8));
  const after = used();
  assert.ok(after < before + room / 4, `${after} of ${before + room} are left`);
});

test("it is made of code that is optimized, too", () => {
  // Deno 2.9 may crash when it ends while V8 compiles: 3 of 360 runs of this test.
  if (isDeno) return;
  const step = 2 ** 16;
  const allocate = allocateWithGarbage({ often: () => 1, room: () => step });
  const end = performance.now() + 300;
  while (performance.now() < end) allocate(1);
  let grown = 0, shrunk = 0, last = used();
  for (let i = 0; i < 2000; i++) {
    allocate(1);
    const now = used();
    if (now > last + step / 2) grown++;
    else if (now < last) shrunk++;
    last = now;
  }
  assert.ok(grown > 1000 && shrunk > 0, `${grown} times, V8 looked ${shrunk}`);
});

test("ballast is made once it is due, for all together, and goes with the last", async () => {
  const MB = 2 ** 20;
  const held = () => process.memoryUsage().external;
  const marks = { often: () => 10, room: () => 0, ballast: () => 64 * MB };
  const allocators: unknown[] = [];
  const use = (size: number) => {
    const allocate = allocateWithGarbage(marks);
    allocators.push(allocate);
    allocate(size);
  };
  const before = held();
  use(9);
  assert.ok(held() < before + MB, "not due");
  const { rss } = process.memoryUsage();
  use(10);
  use(10);
  assert.ok(held() > before + 63 * MB && held() < before + 65 * MB);
  assert.ok(process.memoryUsage().rss < rss + 16 * MB, "it takes no memory");
  allocators.length = 0;
  await until(() => {
    gc();
    return held() < before + MB;
  }, "it is collected");
});

test("where there is no room for ballast, it goes without", () => {
  const allocate = allocateWithGarbage({
    often: () => 1,
    room: () => 0,
    ballast: () => Infinity,
  });
  assert.is(allocate(7).length, 7);
  assert.is(allocate(7).length, 7);
});

test("ballast is a small share of what V8 may have", () => {
  const of = (heap_size_limit: number) =>
    ballastFor({
      getHeapSpaceStatistics: () => [],
      getHeapStatistics: () => ({ heap_size_limit }),
    });
  assert.is(of(2 ** 28), 2 ** 24);
  assert.is(of(2 ** 32), 2 ** 28);
  assert.is(of(2 ** 36), 2 ** 28);
  assert.ok(ballastFor(v8) > 0);
});

test("where nobody tells the room, large arrays are more than it soon", () => {
  const allocate = allocateWithGarbage({
    often: () => 1,
    room: () => undefined,
  });
  const total = () => v8.getHeapStatistics().used_heap_size;
  gc(); // What is collected meanwhile is subtracted; some of it only by the next.
  const before = total();
  let most = 0;
  for (let i = 0; i < 200; i++) {
    allocate(1);
    most = Math.max(most, total() - before);
  }
  assert.ok(most > 1e6 && most < 100e6, `${most} of 480 MB were there`);
});

test("much room is not filled", () => {
  const before = used();
  allocateWithGarbage({ often: () => 1, room: () => 2 ** 26 })(1);
  const grown = used() - before;
  assert.ok(grown < 2 ** 18, String(grown));
});

test.run();
