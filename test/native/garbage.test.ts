// bun: no, its engine is not V8
/** Garbage that has V8 look at what is new. */
import { getHeapSpaceStatistics } from "node:v8";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { marksEarly, roomForNew } from "../../ts/host/node_v8.ts";
import { allocateWithGarbage } from "../../ts/native/garbage.ts";

const test = suite("garbage");

/** Bytes of new objects. */
function used(): number {
  return getHeapSpaceStatistics().find(({ space_name }) =>
    space_name === "new_space"
  )!.space_used_size;
}

test("V8 is helped from version 13 on", () => {
  for (const v8 of [undefined, "", "11.3.244.8-node.30", "12.4.254.21"]) {
    assert.is(marksEarly(v8), undefined, v8);
  }
  for (const v8 of ["13.6.233.17-node.41", "14.6.202", "15.0"]) {
    assert.ok(marksEarly(v8)!.room!() > 0, v8);
  }
});

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
  for (let i = 0; i < 3; i++) allocate(roomForNew());
  const before = used(), room = roomForNew();
  allocate(room / 2);
  assert.ok(used() > before + room / 4, "half is filled");
  allocate(roomForNew());
  const after = used();
  assert.ok(after < before + room / 4, `${after} of ${before + room} are left`);
});

test("much room is not filled", () => {
  const before = used();
  allocateWithGarbage({ often: 1, room: () => 2 ** 26 })(1);
  const grown = used() - before;
  assert.ok(grown < 2 ** 18, String(grown));
});

test.run();
