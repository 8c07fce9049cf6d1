/** What the streams of the fd table write, copy and read, on connections that write it down. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Connection, ConnectionEvents } from "zeromq-wasm";
import { Bodies } from "../../ts/syscall/bodies.ts";
import { errnoOf } from "../../ts/syscall/errno.ts";
import { until } from "../socket/tools.ts";
import { table } from "./table.ts";

const test = suite("streams");

/** A connection that takes so many bytes at once, in each of its calls; then none. */
class Sink implements Connection {
  readonly local = undefined;
  readonly remote = undefined;
  readonly got: number[] = [];
  readonly calls: string[] = [];
  events: ConnectionEvents | undefined;
  isPaced = false;
  constructor(readonly room: number[], readonly both: boolean) {}
  start(events: ConnectionEvents) {
    this.events = events;
  }
  take(pieces: Uint8Array[], most: number): number {
    const bytes = pieces.flatMap((piece) => [...piece]).slice(0, most);
    for (const byte of bytes) this.got.push(byte);
    return bytes.length;
  }
  write(bytes: Uint8Array): boolean {
    this.calls.push("write");
    this.take([bytes], Infinity);
    return false;
  }
  get writeBoth() {
    if (!this.both) return undefined as never;
    return (first: Uint8Array, second: Uint8Array) => {
      this.calls.push("writeBoth");
      this.take([first, second], Infinity);
      return false;
    };
  }
  writeNow(pieces: Uint8Array[]): number {
    this.calls.push("writeNow");
    return this.take(pieces, this.room.shift() ?? 0);
  }
  pause() {
    this.calls.push("pause");
  }
  resume() {
    this.calls.push("resume");
  }
  setNoDelay() {}
  setKeepAlive() {}
  close() {
    this.calls.push("close");
  }
}

class FromSink extends Sink {
  writeFrom(memory: Uint8Array, at: number, size: number): number {
    this.calls.push("writeFrom");
    return this.take([memory.subarray(at, at + size)], this.room.shift() ?? 0);
  }
}

/** A table whose fd 7 is connected to `sink`. */
function connected(sink: Sink) {
  const made = table();
  made.fds.outside.set("/sink", () => sink);
  made.fds.connect(7, 1, "/sink", 0, undefined);
  return made;
}

test("what the system takes at once of a body is not copied, the rest is", () => {
  const size = 100_000;
  const head = [1, 2, 3, 4];
  for (
    const [room, both, calls, copied] of [
      // All of it, at once.
      [[size + 4], true, ["writeNow"], false],
      [[size], false, ["writeNow", "write"], true],
      [[size], true, ["writeNow", "write"], true],
      // The head is not even through: its rest goes before the copy.
      [[3], true, ["writeNow", "write"], true],
      [[3], false, ["writeNow", "write"], true],
      [[], true, ["writeNow", "write"], true],
      [[], false, ["writeNow", "write"], true],
    ] as const
  ) {
    const sink = new Sink([...room], both);
    const { fds } = connected(sink);
    const bodies = new Bodies(2 ** 31, (size) => new Uint8Array(size));
    const bytes = new Uint8Array(size).map((_, i) => i);
    const expected = [...head, ...bytes];
    const body = bodies.at(bodies.lend(bytes));
    const memory = new Uint8Array([0, ...head]);
    assert.is(fds.send(7, memory, 1, 4, true), 4);
    assert.equal(sink.calls, [], "the head waits for the body");
    assert.is(fds.sendBody(7, bodies, body, 0, size), size);
    const what = JSON.stringify([room, both]);
    assert.equal(sink.calls, calls, what);
    assert.equal(sink.got, expected, what);
    assert.is(body.bytes !== bytes, copied, what);
    if (copied) assert.is(fds.send(7, memory, 1, 1), -errnoOf("EAGAIN"));
    sink.events!.drained();
    assert.is(body.writes, 0);
    assert.is(fds.send(7, memory, 1, 1), 1);
    fds.close(7);
  }
});

test("many bytes of the module are not staged as far as the system takes them at once", () => {
  const size = 70_000;
  const head = [1, 2, 3, 4];
  const all = size + head.length;
  for (
    const [room, both, calls] of [
      [[all], true, ["writeNow"]],
      [[all - 1], true, ["writeNow", "write"]],
      // The head is not even through: its rest goes with the copy.
      [[3], true, ["writeNow", "write"]],
      [[], true, ["writeNow", "write"]],
      // Here it would be two writes.
      [[all], false, ["write"]],
    ] as const
  ) {
    const sink = new Sink([...room], both);
    const { fds } = connected(sink);
    const memory = new Uint8Array(size + 10).map((_, i) => i * 3);
    const body = [...memory.subarray(5, 5 + size)];
    assert.is(fds.send(7, new Uint8Array([0, ...head]), 1, 4, true), 4);
    assert.is(fds.send(7, memory, 5, size), size);
    const what = JSON.stringify([room, both]);
    // Nothing refers to the module's memory from here on.
    memory.fill(0);
    assert.equal(sink.calls, calls, what);
    assert.equal(sink.got, [...head, ...body], what);
    const more = fds.send(7, memory, 0, 1);
    assert.is(more, calls.length === 1 && both ? 1 : -errnoOf("EAGAIN"), what);
    sink.events!.drained();
    fds.close(7);
  }
});

/** What a packet has of a write; see rests.ts. */
const PACKET = 65160;
const ALL = 2 ** 30;

/** A connection that is paced, with room for all writes but those in `room`. */
function paced(...room: number[]) {
  const sink = new Sink([ALL, ...room, ...Array(6).fill(ALL)], true);
  sink.isPaced = true;
  const made = connected(sink);
  const bodies = new Bodies(2 ** 31, (size) => new Uint8Array(size));
  const sent: number[] = [];
  /** Sends a message of `size` bytes, which is the program's. */
  const send = (size: number) => {
    const head = [size & 255, 2, 3, 4];
    const bytes = new Uint8Array(size).map((_, i) => i * size);
    for (const byte of [...head, ...bytes]) sent.push(byte);
    const body = bodies.at(bodies.lend(bytes));
    assert.is(made.fds.send(7, new Uint8Array(head), 0, 4, true), 4);
    const rc = made.fds.sendBody(7, bodies, body, 0, size);
    // It is the program's again.
    bytes.fill(0);
    return rc;
  };
  // Nothing is kept of the first one.
  send(PACKET - 4);
  sink.calls.length = 0;
  return { sink, send, sent, ...made };
}

test("where TCP paces, what is over after whole packets goes with what follows", async () => {
  for (const size of [PACKET, 65536, 2 * PACKET, 200_000]) {
    const { sink, send, sent, fds } = paced();
    for (let i = 1; i <= 3; i++) {
      assert.is(send(size), size);
      assert.is(sink.got.length % PACKET, 0, `${size}`);
      assert.ok(sent.length - sink.got.length <= 16384, `${size}`);
    }
    assert.equal(sink.calls, ["writeNow", "writeNow", "writeNow"]);
    await until(() => sink.got.length === sent.length, "the rest");
    assert.equal(sink.got, sent, `${size}`);
    assert.is(sink.calls.length, 4);
    fds.close(7);
  }
});

test("what is no whole packet, has much over or is large is written at once", () => {
  for (
    const size of [PACKET - 5, PACKET - 4, 2 * PACKET - 4, 90_000, 2 ** 19]
  ) {
    const { sink, send, sent, fds } = paced();
    send(size);
    assert.equal(sink.calls, ["writeNow"], `${size}`);
    assert.equal(sink.got, sent, `${size}`);
    fds.close(7);
  }
});

test("in a conversation nothing is kept", async () => {
  const { sink, send, sent, fds } = paced();
  for (let i = 0; i < 3; i++) {
    sink.events!.data(new Uint8Array([i]));
    send(65536);
    assert.is(sink.got.length, sent.length);
  }
  send(65536);
  assert.is.not(sink.got.length, sent.length);
  await until(() => sink.got.length === sent.length, "the rest");
  assert.equal(sink.got, sent);
  fds.close(7);
});

test("a rest comes before whatever follows it", async () => {
  const bytes = new Uint8Array(70_000).map((_, i) => i * 5);
  for (const size of [1, 5000, 70_000]) {
    const { sink, send, sent, fds } = paced();
    send(65536);
    for (const byte of bytes.subarray(0, size)) sent.push(byte);
    assert.is(fds.send(7, bytes, 0, size), size);
    await until(() => sink.got.length === sent.length, "the rest");
    assert.equal(sink.got, sent, `${size}`);
    fds.close(7);
  }
});

test("who closes, or is lost, has no rest any more", async () => {
  const { sink, send, sent, fds, host } = paced();
  send(65536);
  fds.close(7);
  await new Promise<void>((resolve) => host.soon(resolve));
  assert.equal(sink.calls, ["writeNow", "write", "close"]);
  assert.equal(sink.got, sent);
  const other = paced();
  other.send(65536);
  other.sink.events!.closed();
  assert.ok(other.kernel.told.includes("failed 7 ECONNRESET"));
  other.fds.closeAll();
  await new Promise<void>((resolve) => other.host.soon(resolve));
  assert.equal(other.sink.calls, ["writeNow", "write", "close"]);
});

test("a rest is kept in order where the system does not take all", async () => {
  // Of the second write: nothing, part of the rest, the rest and some; of the last one, some.
  for (const room of [[ALL, 0], [ALL, 100], [ALL, 1000], [ALL, ALL, 10]]) {
    const { sink, send, sent } = paced(...room);
    assert.is(send(65536), 65536);
    assert.is(send(65536), 65536);
    await until(() => sink.got.length === sent.length, "the rest");
    assert.equal(sink.got, sent, `${room}`);
    assert.match(sink.calls.at(-1)!, /^write(?:Both)?$/);
  }
});

test("few bytes are not staged as far as the system takes them at once", () => {
  for (
    const [room, calls] of [
      [[9], ["writeFrom"]],
      [[4], ["writeFrom", "write"]],
      [[], ["writeFrom", "write"]],
    ] as const
  ) {
    const sink = new FromSink([...room], true);
    const { fds } = connected(sink);
    const memory = new Uint8Array(20).map((_, i) => i);
    const before = fds.writes;
    assert.is(fds.send(7, memory, 5, 9), 9);
    const what = JSON.stringify(room);
    memory.fill(0);
    assert.equal(sink.calls, calls, what);
    assert.equal(sink.got, [5, 6, 7, 8, 9, 10, 11, 12, 13], what);
    assert.ok(fds.writes > before);
    const more = fds.send(7, memory, 0, 1);
    assert.is(more, calls.length === 1 ? 1 : -errnoOf("EAGAIN"), what);
    fds.close(7);
  }
});

test("bytes that follow a head are staged with it, and do not overtake it", () => {
  for (const sink of [new Sink([], true), new FromSink([9, 9], true)]) {
    const { fds } = connected(sink);
    assert.is(fds.send(7, new Uint8Array([5, 6]), 0, 2, true), 2);
    assert.is(fds.send(7, new Uint8Array([7]), 0, 1), 1);
    assert.equal(sink.calls, ["write"]);
    assert.equal(sink.got, [5, 6, 7]);
    fds.close(7);
  }
});

test("what came in and goes on has no room for a head: two pieces, or a copy", () => {
  const size = 100_000;
  for (const both of [true, false]) {
    const sink = new Sink([], both);
    const { fds } = connected(sink);
    const bodies = new Bodies(2 ** 31, (size) => new Uint8Array(size));
    const body = bodies.at(bodies.make(size));
    body.bytes.forEach((_, i) => body.bytes[i] = i);
    fds.send(7, new Uint8Array([1, 2, 3, 4]), 0, 4, true);
    assert.is(fds.sendBody(7, bodies, body, 0, size), size);
    assert.equal(sink.calls, [both ? "writeBoth" : "write"]);
    assert.equal(sink.got, [1, 2, 3, 4, ...body.bytes]);
    assert.is(body.writes, both ? 1 : 0);
    sink.events!.drained();
    assert.is(body.writes, 0);
    fds.close(7);
  }
});

test("a head that fills a stage does not wait for its body", () => {
  const stage = 1 << 20;
  for (const both of [true, false]) {
    for (const size of [stage, stage + 1]) {
      const sink = new Sink([], both);
      const { fds } = connected(sink);
      const bodies = new Bodies(2 ** 31, (size) => new Uint8Array(size));
      const memory = new Uint8Array(size).map((_, i) => i * 3);
      const body = bodies.at(bodies.put(new Uint8Array(100_000).fill(9)));
      const write = (step: () => number, whole: number) => {
        for (let at = 0; at < whole;) {
          const count = step();
          if (count === -errnoOf("EAGAIN")) sink.events!.drained();
          else assert.ok(count > 0, `${size}: ${at} of ${whole}`);
          at += Math.max(count, 0);
          left = whole - at;
        }
      };
      let left = size;
      write(() => fds.send(7, memory, size - left, left, true), size);
      left = 100_000;
      write(() => fds.sendBody(7, bodies, body, 100_000 - left, left), left);
      const expected = Buffer.concat([memory, body.bytes]);
      assert.ok(expected.equals(Buffer.from(sink.got)), `${size}`);
      fds.close(7);
    }
  }
});

test("a head whose body never comes is written in the end", () => {
  const sink = new Sink([], true);
  const { fds } = connected(sink);
  fds.send(7, new Uint8Array([5, 6]), 0, 2, true);
  fds.close(7);
  assert.equal(sink.got, [5, 6]);
  assert.equal(sink.calls, ["write", "close"]);
});

test("one small piece that is read later does not stop reading, more does", () => {
  for (
    const [pieces, isLater, stopped] of [
      [[4], true, false],
      [[4096], true, false],
      [[4097], true, true],
      [[4, 4], true, true],
      [[4], false, true],
    ] as const
  ) {
    const sink = new Sink([], true);
    const { fds, kernel } = connected(sink);
    kernel.input = () => isLater;
    // The host has one memory for all that it reads.
    const memory = new Uint8Array(5000);
    const sent: number[] = [];
    for (const [i, size] of pieces.entries()) {
      memory.fill(i + 1);
      sent.push(...memory.subarray(0, size));
      assert.is(sink.events!.data(memory.subarray(0, size)), undefined);
    }
    const what = JSON.stringify([pieces, isLater]);
    assert.is(sink.calls.includes("pause"), stopped, what);
    const got = new Uint8Array(sent.length);
    fds.read(7, got, 0, got.length);
    assert.equal([...got], sent, what);
    assert.is(sink.calls.includes("resume"), stopped, what);
    fds.close(7);
  }
});

test("what comes next of a large body is read to its place", () => {
  const sink = new Sink([], true);
  const { fds, kernel } = connected(sink);
  const body = new Uint8Array(300_000);
  let at = 0;
  kernel.input = (fd, size) => {
    fds.read(fd, body, at, size, body.length - at);
    at += size;
    return false;
  };
  const bytes = new Uint8Array(300_000).map((_, i) => i * 7);
  const target = sink.events!.data(bytes.slice(0, 1000))!;
  assert.is(target.buffer, body.buffer);
  assert.equal([target.byteOffset, target.length], [1000, 299_000]);
  target.set(bytes.subarray(1000, 201_000));
  const next = sink.events!.data(target.subarray(0, 200_000))!;
  assert.equal([next.byteOffset, next.length], [201_000, 99_000]);
  // Libzmq does not read for a while: the bytes stay where they are.
  const { input } = kernel;
  kernel.input = () => false;
  next.set(bytes.subarray(201_000, 251_000));
  assert.is(sink.events!.data(next.subarray(0, 50_000)), undefined);
  input.call(kernel, 7, 50_000);
  // Little is left: it is read as always, with what follows.
  kernel.input = input;
  assert.is(sink.events!.data(bytes.slice(251_000)), undefined);
  assert.is(at, 300_000);
  assert.equal(body, bytes);
});

test.run();
