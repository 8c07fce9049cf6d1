/** Bodies of large messages outside of the module: their addresses, their memory, their end. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Bodies, isOutside } from "../../ts/syscall/bodies.ts";

const test = suite("bodies");
const KB = 1024, MB = 1024 * KB;
const FIRST = 2 ** 31;

let made = 0;
function bodies(limit = 2 ** 31) {
  made = 0;
  return new Bodies(limit, (size) => {
    made++;
    return new Uint8Array(size);
  });
}
/** As wasm passes a pointer: signed. */
const signed = (address: number) => address | 0;

test("addresses are those that the module's memory cannot have", () => {
  const all = bodies();
  const one = all.put(new Uint8Array(64 * KB));
  const two = all.make(64 * KB + 1);
  assert.is(one, FIRST);
  assert.ok(two >= one + 64 * KB);
  for (const address of [one, two]) {
    assert.ok(isOutside(address) && isOutside(signed(address)));
  }
  assert.not.ok(isOutside(FIRST - 1));
  const body = all.at(signed(two + 64 * KB));
  assert.is(body.bytes.length, 64 * KB + 1);
  assert.is(body.offset(signed(two + 64 * KB)), 64 * KB);
  assert.is(all.bytes, 128 * KB + 1);
  assert.is(all.queued, 64 * KB, "what was put is on its way out");
  all.drop(signed(two));
  all.drop(signed(one));
  assert.equal([all.bytes, all.queued], [0, 0]);
});

test("copies between bodies and memory, in any direction", () => {
  const all = bodies();
  const inside = new Uint8Array(100).map((_, i) => i);
  const from = all.put(new Uint8Array(40 * KB).fill(7));
  const to = all.make(40 * KB);
  all.copy(inside, signed(to + 39 * KB), 10, 5);
  assert.equal(
    [...all.at(to).bytes.subarray(39 * KB, 39 * KB + 6)],
    [10, 11, 12, 13, 14, 0],
  );
  all.copy(inside, 20, signed(to + 39 * KB), 3);
  assert.equal([...inside.subarray(19, 24)], [19, 10, 11, 12, 23]);
  all.copy(inside, signed(to), signed(from), 40 * KB);
  assert.ok(all.at(to).bytes.every((byte) => byte === 7));
});

test("no more than there may be, and a quarter not for peers", () => {
  const all = bodies(MB);
  assert.is(all.make(MB), 0);
  const peers = all.make(768 * KB);
  assert.ok(peers);
  assert.is(all.make(32 * KB), 0);
  const own = all.put(new Uint8Array(256 * KB));
  assert.ok(own);
  assert.is(all.put(new Uint8Array(32 * KB)), 0);
  all.drop(own);
  all.drop(peers);
  assert.ok(all.put(new Uint8Array(MB)));
  assert.is(bodies(0).make(32 * KB), 0);
});

test("memory that the runtime does not have is no body", () => {
  const none = new Bodies(2 ** 31, () => {
    throw new RangeError("Array buffer allocation failed");
  });
  assert.is(none.make(MB), 0);
  assert.is(none.put(new Uint8Array(MB)), 0);
  assert.is(none.bytes, 0);
});

test("addresses are found again among those in use, as long as there are any", () => {
  const all = bodies();
  const small = Array.from({ length: 2000 }, () => all.make(32 * KB));
  assert.is(new Set(small).size, 2000);
  // Holes of one page each: too small.
  for (let i = 0; i < 2000; i += 2) all.drop(small[i]!);
  for (let round = 0; round < 100; round++) {
    const large = all.make(40 * MB);
    assert.ok(large >= FIRST && large + 40 * MB < 2 ** 32, String(large));
    assert.is(all.at(large + 40 * MB - 1), all.at(large));
    all.drop(large);
    const hole = all.make(64 * KB);
    assert.ok(hole);
    assert.not.ok(small.some((it, i) => i % 2 === 1 && it === hole));
    all.drop(hole);
  }
  for (let i = 1; i < 2000; i += 2) {
    assert.is(all.at(small[i]!).offset(small[i]!), 0);
    all.drop(small[i]!);
  }
  assert.is(all.bytes, 0);
});

test("all pages taken: no address is given twice", () => {
  const all = new Bodies(2 ** 32, (size) => new Uint8Array(size % 1000));
  let count = 0;
  for (let at; (at = all.make(999)) !== 0; count++) assert.ok(at < 2 ** 32);
  assert.is(count, 32767);
  all.drop(FIRST + 65536 * 12345);
  assert.is(all.make(999), FIRST + 65536 * 12345);
  assert.is(all.make(999), 0);
});

test("full is full until something goes, for bodies of any size", () => {
  const all = bodies(2 ** 40);
  // What counts as so many pages without memory, and tells how often it is looked at.
  let looks = 0;
  const body = (pages: number) => {
    const size = pages * 64 * KB;
    const memory = {
      get length() {
        looks++;
        return size;
      },
    };
    return all.make(size, memory as Uint8Array);
  };
  const taken: number[] = [];
  for (let at; (at = body(1)) !== 0;) taken.push(at);
  const full = (sizes: number[]) => {
    assert.ok(sizes.every((pages) => body(pages) === 0), `${sizes}`);
    looks = 0;
    for (let i = 0; i < 100; i++) assert.is(body(sizes[i % sizes.length]!), 0);
    assert.ok(looks < taken.length, `looked at ${looks}`);
  };
  full([1, 2, 3, 1]);
  // Single pages are free: no room for more than one, whatever was asked for before.
  const singles = [taken[20_000], taken[102], taken[100]];
  for (const at of singles) all.drop(at!);
  full([3, 2, 3]);
  assert.ok(singles.includes(body(1)));
  full([2, 3]);
  assert.ok(singles.includes(body(1)) && singles.includes(body(1)));
  full([1, 2]);
  // Two and three of them in a row, at both ends, too.
  for (const start of [0, 500, taken.length - 3]) {
    const [at, second, third] = taken.slice(start);
    all.drop(at!);
    all.drop(second!);
    full([3]);
    assert.is(body(2), at);
    full([1, 2]);
    all.drop(at!);
    full([3]);
    all.drop(third!);
    assert.is(body(3), at);
    full([1, 3]);
  }
  // Those at the end and those at the start are not in a row.
  const ends = [taken[0], taken.at(-3)];
  for (const at of ends) all.drop(at!);
  full([4, 6]);
  assert.equal([body(3), body(3)].sort(), ends.sort());
  full([1, 4]);
  all.clear();
  assert.is(body(taken.length), FIRST);
  full([1]);
});

test("what was sent lends its memory to the next of about its size", () => {
  const all = bodies();
  const bytes = new Uint8Array(100 * KB).fill(1);
  for (let i = 0; i < 10; i++) all.drop(all.put(bytes));
  assert.is(made, 1);
  all.drop(all.put(bytes.subarray(0, 90 * KB)));
  assert.is(made, 1);
  // Not to a much smaller one, and to no larger one.
  all.drop(all.put(bytes.subarray(0, 50 * KB)));
  assert.is(made, 2);
  all.drop(all.put(new Uint8Array(101 * KB)));
  assert.is(made, 3);
});

test("but not while it is written, or when it was given away", () => {
  const all = bodies();
  const bytes = new Uint8Array(100 * KB);
  const written = all.put(bytes);
  const write = all.at(written);
  write.writes += 2;
  all.drop(written);
  all.wrote(write);
  const given = all.put(bytes);
  assert.is(made, 2);
  all.wrote(write);
  all.drop(all.put(bytes));
  assert.is(made, 2, "now it is free");
  all.put(bytes);
  const body = all.at(given);
  body.given = true;
  assert.ok(all.has(body));
  all.drop(given);
  assert.not.ok(all.has(body));
  all.put(bytes);
  assert.is(made, 3);
  // Nor what a peer sent: that is the program's.
  const theirs = all.make(100 * KB);
  assert.is(made, 4);
  all.drop(theirs);
  all.put(bytes);
  assert.is(made, 5);
});

test("lent bytes are the program's own until they are settled", () => {
  const all = bodies();
  const bytes = new Uint8Array(100 * KB).fill(1);
  const [sent, waits] = [all.lend(bytes), all.lend(bytes)];
  const body = all.at(waits);
  assert.is(body.bytes, bytes);
  assert.is(all.queued, 200 * KB);
  all.drop(sent);
  all.settle();
  assert.is(made, 1, "only what is still there is copied");
  bytes.fill(2);
  assert.ok(body.bytes.every((byte) => byte === 1));
  all.settle();
  all.own(body, 0);
  assert.is(made, 1);
  all.drop(waits);
  all.put(bytes);
  assert.is(made, 1, "the copy's memory is used again, the program's is not");
  assert.is(bodies(MB).lend(new Uint8Array(MB + 1)), 0);
});

test("a head goes before a body on its way out, in one piece", () => {
  const all = bodies();
  const bytes = new Uint8Array(40 * KB).map((_, i) => i);
  const head = Uint8Array.of(2, 0, 9);
  const body = all.at(all.put(bytes));
  const whole = body.after(head, 5)!;
  assert.equal([...whole], [2, 0, 9, 0, 1, 2, 3, 4]);
  assert.is(whole.buffer, body.bytes.buffer, "nothing was copied");
  // While that is written, only for who has the same before it.
  body.writes++;
  assert.is(body.after(Uint8Array.of(2, 0, 8), 5), undefined);
  assert.equal([...body.after(head, 3)!], [2, 0, 9, 0, 1, 2]);
  body.writes--;
  assert.equal([...body.after(Uint8Array.of(7), 1)!], [7, 0]);
  assert.equal([...body.bytes], [...bytes]);
  assert.is(body.after(new Uint8Array(65), 5), undefined, "no room");
  // Not in memory of the program, nor of a message that came in.
  const lent = all.at(all.lend(bytes));
  assert.is(lent.after(head, 5), undefined);
  all.settle();
  assert.equal([...lent.after(head, 1)!], [2, 0, 9, 0]);
  assert.is(all.at(all.make(40 * KB)).after(head, 5), undefined);
});

test("free memory has its limit", () => {
  const all = bodies();
  const fill = (size: number, count: number) => {
    const bytes = new Uint8Array(size);
    const many = Array.from({ length: count }, () => all.put(bytes));
    const before = made;
    for (const address of many) all.drop(address);
    const again = many.map(() => all.put(bytes));
    for (const address of again) all.drop(address);
    return made - before;
  };
  assert.is(fill(900 * KB, 20), 4, "16 pieces");
  // Larger ones are there for as long as nobody collects them, which is not before the end.
  assert.is(fill(8 * MB, 12), 0);
  assert.is(fill(MB, 90), 90 - 16 - 64);
});

test.run();
