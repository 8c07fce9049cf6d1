/** Streams of large messages: where they are read to before their heads are known. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Connection } from "zeromq-wasm";
import { Ahead, Spares } from "../../ts/syscall/ahead.ts";
import { Stages } from "../../ts/syscall/stages.ts";
import { Stream } from "../../ts/syscall/stream.ts";

const test = suite("ahead");
const HEAD = 9, SIZE = 65536, WHOLE = HEAD + SIZE;

let made = 0;
let pauses = 0;
function stream(limit = Infinity, copies = false): Stream {
  made = pauses = 0;
  const connection = {
    pause: () => void pauses++,
    resume() {},
  } as unknown as Connection;
  const spares = new Spares((size, content) => {
    if (++made > limit) throw new RangeError("no memory");
    return content ? new Uint8Array(content) : new Uint8Array(size);
  }, copies);
  const traffic = {
    stages: new Stages(),
    spares,
    writes: 0,
    staged: new Uint8Array(0),
  };
  return new Stream(connection, traffic, true);
}

/** As libzmq: `some` bytes with the head, then the rest of the body. Returns its memory. */
function take(it: Stream, size = SIZE, some = HEAD): Uint8Array {
  it.read(new Uint8Array(some), 0, some, 0);
  const left = some - HEAD;
  const body = it.begins(size, left) ?? new Uint8Array(size);
  it.read(body, left, size - left, size - left);
  return body;
}

/** A stream that has seen so many bodies of one size, enough to expect more. */
function steady(count = 5, limit?: number, copies?: boolean): Stream {
  const it = stream(limit, copies);
  for (let i = 0; i < count; i++) {
    it.arrived(new Uint8Array(WHOLE));
    take(it);
    it.next(false);
  }
  return it;
}

/** Fills the first `size` bytes of the places with numbers that go up. */
function fill(places: Uint8Array[], size: number): void {
  let at = 0;
  for (const place of places) {
    for (let i = 0; i < place.length && at < size; i++) place[i] = at++ % 251;
  }
}
const isFilled = (body: Uint8Array, from: number, end = body.length) =>
  body.subarray(0, end).every((byte, i) => byte === (from + i) % 251);

test("one place until bodies are alike, then as many as fit", () => {
  assert.is(steady(3).places(), undefined);
  const places = steady().places()!;
  assert.equal(
    places.map(({ length }) => length),
    [HEAD, SIZE, HEAD, SIZE, HEAD, SIZE, HEAD, SIZE],
  );
});

test("what was read to its place stays there", () => {
  const it = steady();
  const places = it.places()!;
  fill(places, 2 * WHOLE);
  it.filled(2 * WHOLE);
  for (const [i, some] of [HEAD, 64].entries()) {
    const body = take(it, SIZE, some);
    assert.is(body, places[2 * i + 1], "no copy");
    assert.ok(isFilled(body, HEAD + i * WHOLE));
  }
  assert.is(it.next(false), undefined);
  assert.is(made, 4);
  it.places();
  assert.is(made, 6, "two were not read to, and serve again");
});

test("a body that is not whole yet is read on where it lies", () => {
  const it = steady();
  const places = it.places()!;
  const size = WHOLE + HEAD + 1000;
  fill(places, size);
  it.filled(size);
  take(it);
  it.read(new Uint8Array(HEAD), 0, HEAD, 0);
  const body = it.begins(SIZE, 0)!;
  assert.is(body, places[3]);
  it.read(body, 0, 1000, SIZE);
  const rest = it.next(false)!;
  assert.is(rest.buffer, body.buffer);
  assert.is(rest.byteOffset, 1000);
  const next = it.places()!;
  assert.is(next[0]!.length, SIZE - 1000, "first the rest");
  assert.not.ok(next.slice(1).some(({ buffer }) => buffer === body.buffer));
  it.filled(0);
  assert.is(it.next(false), rest, "there was nothing");
});

test("other bytes than expected are read like any", () => {
  const it = steady();
  const places = it.places()!;
  fill(places, 3 * WHOLE);
  it.filled(3 * WHOLE);
  const body = take(it, SIZE + 1);
  assert.is.not(body.buffer, places[1]!.buffer);
  assert.ok(isFilled(body, HEAD));
  assert.is(made, 4);
  assert.is(it.places(), undefined, "something waits");
  const rest = new Uint8Array(2 * WHOLE - 1);
  it.read(rest, 0, rest.length, 0);
  assert.ok(isFilled(rest, WHOLE + 1));
  assert.is(it.next(false), undefined);
  assert.is(it.places(), undefined, "nothing is expected any more");
});

test("a body of that size that begins elsewhere is not there", () => {
  const it = steady();
  const places = it.places()!;
  fill(places, 2 * WHOLE);
  it.filled(2 * WHOLE);
  it.read(new Uint8Array(12), 0, 12, 0); // another frame, and then
  const body = take(it);
  assert.not.ok(places.some(({ buffer }) => buffer === body.buffer));
  assert.ok(isFilled(body, 12 + HEAD));
});

test("the memory of a body under way is no place for others", () => {
  const it = steady();
  it.arrived(new Uint8Array(HEAD));
  it.read(new Uint8Array(HEAD), 0, HEAD, 0);
  const body = new Uint8Array(SIZE);
  assert.is(it.begins(SIZE, 0), undefined);
  it.read(body, 0, 0, SIZE);
  assert.is(it.next(false)!.buffer, body.buffer);
  for (let i = 0; i < 2; i++) {
    const [rest, ...places] = it.places()!;
    assert.is(rest!.buffer, body.buffer);
    assert.not.ok(places.some(({ buffer }) => buffer === body.buffer));
    it.filled(0);
  }
});

test("what is left unread is kept, and nothing is read over it", () => {
  const it = steady();
  const places = it.places()!;
  fill(places, 2 * WHOLE);
  it.filled(2 * WHOLE);
  take(it);
  assert.is(it.next(false), undefined);
  assert.is(pauses, 1);
  places[0]!.fill(255);
  places[2]!.fill(255); // the host may read to there again
  const head = new Uint8Array(HEAD);
  it.read(head, 0, HEAD, 0);
  assert.ok(isFilled(head, WHOLE));
  const body = it.begins(SIZE, 0)!;
  assert.is(body, places[3]);
  it.read(body, 0, SIZE, SIZE);
  assert.ok(isFilled(body, WHOLE + HEAD));
});

test("where new memory is dear, bodies are copied out of a pad", () => {
  // No memory for what is there at once.
  const it = steady(5, 0, true);
  const places = it.places()!;
  // No body is cut off if all of it comes at once.
  assert.equal(places.map(({ length }) => length), [4 * WHOLE]);
  const size = WHOLE + HEAD + 1000;
  fill(places, size);
  it.filled(size);
  const body = take(it);
  it.read(new Uint8Array(HEAD), 0, HEAD, 0);
  assert.is(it.begins(SIZE, 0), undefined);
  const next = new Uint8Array(SIZE);
  it.read(next, 0, 1000, SIZE);
  assert.is(it.next(false)!.byteOffset, 1000);
  assert.equal(
    it.places()!.map(({ length }) => length),
    [SIZE - 1000, 4 * WHOLE],
  );
  assert.is(it.places()![1]!.buffer, places[0]!.buffer);
  places[0]!.fill(255);
  assert.ok(isFilled(body, HEAD));
  assert.ok(isFilled(next, WHOLE + HEAD, 1000));
  it.filled(0);
});

test("where new memory is dear, and a head has begun, whole bodies follow", () => {
  const it = steady(5, 0, true);
  it.arrived(new Uint8Array(2));
  it.read(new Uint8Array(2), 0, 2, 0);
  it.next(false);
  assert.equal(it.places()!.map(({ length }) => length), [4 * WHOLE - 2]);
});

test("where new memory is dear, a body that is there becomes memory at once", () => {
  const it = steady(5, Infinity, true);
  const places = it.places()!;
  const size = 2 * WHOLE + HEAD + SIZE - 1;
  fill(places, size);
  made = 0;
  it.filled(size);
  const bodies: Uint8Array[] = [];
  for (const [i, some] of [HEAD, 64].entries()) {
    it.read(new Uint8Array(some), 0, some, 0);
    const left = some - HEAD;
    const body = it.begins(SIZE, left)!;
    assert.is(made, i + 1);
    assert.ok(isFilled(body, HEAD + i * WHOLE), "before it is read");
    const rest = SIZE - left;
    it.read(body, left, 1000, rest);
    it.read(body, left + 1000, rest - 1000, rest - 1000);
    bodies.push(body);
  }
  it.read(new Uint8Array(HEAD), 0, HEAD, 0);
  assert.is(it.begins(SIZE, 0), undefined, "one byte is missing");
  const last = new Uint8Array(SIZE);
  it.read(last, 0, SIZE - 1, SIZE);
  assert.ok(isFilled(last, HEAD + 2 * WHOLE, SIZE - 1));
  places[0]!.fill(255);
  for (const [i, body] of bodies.entries()) {
    assert.ok(isFilled(body, HEAD + i * WHOLE), "a copy");
  }
  assert.is(made, 2);
});

test("a body whose begin came before is read as always", () => {
  const it = stream(Infinity, true);
  const bytes = new Uint8Array(WHOLE);
  fill([bytes], WHOLE);
  it.arrived(bytes.subarray(0, HEAD + 10));
  it.read(new Uint8Array(HEAD + 10), 0, HEAD + 10, 0);
  it.arrived(bytes.subarray(HEAD + 10));
  assert.is(it.begins(SIZE, 10), undefined);
  const body = new Uint8Array(SIZE);
  it.read(body, 10, SIZE - 10, SIZE - 10);
  assert.ok(isFilled(body.subarray(10), HEAD + 10));
});

test("after a part of a head the rest of it is expected, after others nothing", () => {
  const it = steady();
  it.arrived(new Uint8Array(4));
  it.read(new Uint8Array(4), 0, 4, 0);
  const places = it.places()!;
  assert.equal(places.slice(0, 3).map(({ length }) => length), [5, SIZE, 9]);
  it.filled(0);
  it.arrived(new Uint8Array(200));
  it.read(new Uint8Array(200), 0, 200, 0);
  assert.is(it.places(), undefined);
});

test("without memory for them, as many as there is for", () => {
  assert.is(steady(5, 2).places()!.length, 4);
  assert.is(steady(5, 0).places(), undefined);
});

test("positions in a stream go on after 2 and 4 GiB", () => {
  const spares = new Spares((size) => new Uint8Array(size), false);
  for (const turn of [2 ** 31, 2 ** 32]) {
    const ahead = new Ahead(spares);
    // In the middle of a head.
    let at = turn - 6 * WHOLE - 4;
    for (let i = 0; i < 12; i++, at += WHOLE) {
      const places = ahead.places(undefined, at | 0);
      assert.is(places !== undefined, i > 4, `body ${i}`);
      if (places) assert.is(places[0]!.length, HEAD);
      ahead.filled(0);
      ahead.learn(SIZE, (at + HEAD) | 0);
    }
  }
});

test.run();
