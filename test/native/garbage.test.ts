// bun: no, its engine is not V8
/** Garbage that has V8 look at what is new. */
import { getHeapSpaceStatistics } from "node:v8";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { allocateWithGarbage } from "../../ts/native/garbage.ts";

const test = suite("garbage");

function newSpace() {
  return getHeapSpaceStatistics().find(({ space_name }) =>
    space_name === "new_space"
  )!;
}

test("it is made after every so many bytes, of pieces of any size", () => {
  let asked = 0;
  const allocate = allocateWithGarbage({
    often: 1000,
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

test("what is new is looked at when the room is filled, and not sooner", () => {
  const allocate = (room: number) =>
    allocateWithGarbage({ often: 1, room: () => room })(1);
  // The first calls compile.
  for (let i = 0; i < 3; i++) allocate(newSpace().space_available_size);
  const { space_used_size: before, space_available_size: room } = newSpace();
  allocate(room / 2);
  assert.ok(newSpace().space_used_size > before + room / 4, "half is filled");
  allocate(newSpace().space_available_size);
  const after = newSpace().space_used_size;
  assert.ok(after < before + room / 4, `${after} of ${before + room} are left`);
});

test("more room than V8 has by itself is not filled", () => {
  const before = newSpace().space_used_size;
  allocateWithGarbage({ often: 1, room: () => 2 ** 26 })(1);
  const grown = newSpace().space_used_size - before;
  assert.ok(grown < 2 ** 18, String(grown));
});

test.run();
