/** The fd table on a host in memory, and the numbers of errors. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Connection, ConnectionEvents } from "zeromq-wasm";
import {
  codeOf,
  connectErrno,
  errnoOf,
  streamErrno,
  zmqErrno,
} from "../../ts/syscall/errno.ts";
import { Bodies } from "../../ts/syscall/bodies.ts";
import { FdTable, type Kernel } from "../../ts/syscall/fd_table.ts";
import { type MemoryHost, memoryHost } from "../host/memory_host.ts";
import { until, within } from "../socket/tools.ts";

const test = suite("fd table");

/** Writes down what it is told, as the reactor would tell the module. */
class Recorder implements Kernel {
  readonly told: string[] = [];
  next = 100;
  refuse = false;
  fds: FdTable | undefined;
  input(fd: number, size: number): boolean {
    const memory = new Uint8Array(size + 2);
    this.fds!.read(fd, memory, 1, size);
    const text = new TextDecoder().decode(memory.subarray(1, size + 1));
    this.told.push(`input ${fd} ${text}`);
    return false;
  }
  connected(fd: number) {
    this.told.push(`connected ${fd}`);
  }
  writable(fd: number) {
    this.told.push(`writable ${fd}`);
  }
  eof(fd: number) {
    this.told.push(`eof ${fd}`);
  }
  failed(fd: number, errno: number) {
    this.told.push(`failed ${fd} ${codeOf(errno)}`);
  }
  incoming(listener: number) {
    this.told.push(`incoming ${listener}`);
    return this.refuse ? -errnoOf("EMFILE") : this.next++;
  }
  has(line: string) {
    return until(() => this.told.includes(line), `${line} of ${this.told}`);
  }
}

function table(host: MemoryHost = memoryHost()) {
  const kernel = new Recorder();
  const fds = kernel.fds = new FdTable(
    host,
    kernel,
    (size) => new Uint8Array(size),
  );
  return { kernel, host, fds };
}
const bytes = (text: string) => new TextEncoder().encode(text);

/** Sends what lies somewhere in a larger memory. */
function send(fds: FdTable, text: string): number {
  return fds.send(2, bytes(`...${text}...`), 3, text.length);
}

test("listen, connect, send, close", async () => {
  const { fds, kernel } = table();
  await fds.prepare("4 10.0.0.1 0", 10);
  const port = fds.listen(1, 4, "10.0.0.1", 0);
  assert.ok(port > 0);
  assert.is(fds.settle("4 10.0.0.1 0"), undefined);
  assert.is(fds.connect(2, 4, "10.0.0.1", port, undefined), 0);
  await kernel.has("connected 2");
  await kernel.has("incoming 1");
  assert.equal([fds.connections, fds.listeners], [2, 1]);
  assert.is(send(fds, "even"), 4);
  await kernel.has("input 100 even");
  // The host holds an odd number of bytes until they are gone.
  assert.is(send(fds, "odd"), 3);
  assert.is(send(fds, "more"), -errnoOf("EAGAIN"));
  await kernel.has("writable 2");
  assert.is(send(fds, "more"), 4);
  await kernel.has("input 100 odd");
  await kernel.has("input 100 more");
  assert.is(
    fds.send(2, new Uint8Array(2 ** 21), 0, 2 ** 21),
    2 ** 20,
    "what a stage has",
  );
  fds.close(100);
  await kernel.has("eof 2");
  fds.close(2);
  fds.close(2);
  fds.close(1);
  assert.equal([fds.connections, fds.listeners], [0, 0]);
  assert.is(send(fds, "x"), -errnoOf("ECONNRESET"));
});

test("a listener that libzmq does not take is closed, one that fails is told", async () => {
  const { fds, host } = table();
  await fds.prepare("1 /path", 10);
  assert.is(fds.listeners, 1);
  assert.is(fds.settle("1 /path"), undefined);
  assert.is(fds.listeners, 0);
  await host.listen({ kind: "ipc", path: "/path" }, 1);
  await fds.prepare("1 /path", 10);
  assert.is(fds.listen(1, 1, "/path", 0), -errnoOf("EADDRINUSE"));
  const error = fds.settle("1 /path");
  assert.is(error!.code, "EADDRINUSE");
  assert.is(fds.listen(1, 1, "/path", 0), -errnoOf("EADDRNOTAVAIL"));
});

test("who binds a path has it, however late the listener before is closed", async () => {
  const { fds, kernel } = table();
  for (const fd of [1, 2]) {
    await fds.prepare("1 /path", 10);
    assert.is(fds.listen(fd, 1, "/path", 0), 0);
    assert.is(fds.settle("1 /path"), undefined);
  }
  fds.close(1);
  assert.is(fds.connect(3, 1, "/path", 0, undefined), 0);
  await kernel.has("incoming 2");
  fds.closeAll();
  assert.is(fds.listeners, 0);
});

test("binds to one target take turns", async () => {
  const { fds } = table();
  const target = "4 10.0.0.1 0";
  await fds.prepare(target, 10);
  let second = false;
  const waits = fds.prepare(target, 10).then(() => second = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.is(second, false);
  assert.ok(fds.listen(1, 4, "10.0.0.1", 0) > 0);
  fds.settle(target);
  await within(waits, "the second");
  assert.ok(fds.listen(2, 4, "10.0.0.1", 0) > 0);
  fds.settle(target);
  fds.closeAll();
  assert.is(fds.listeners, 0);
});

test("why connecting failed is kept until the fd is used again", async () => {
  const { fds, kernel } = table();
  fds.connect(7, 4, "10.0.0.1", 4711, undefined);
  await kernel.has("failed 7 ECONNREFUSED");
  assert.is(fds.failures.get(7)?.code, "ECONNREFUSED");
  fds.close(7);
  await fds.prepare("1 /x", 1);
  fds.listen(7, 1, "/x", 0);
  fds.settle("1 /x");
  assert.is(fds.failures.get(7), undefined);
  fds.closeAll();
});

test("a connection that the module has no fd for is closed", async () => {
  const { fds, kernel } = table();
  kernel.refuse = true;
  await fds.prepare("1 /x", 1);
  fds.listen(1, 1, "/x", 0);
  fds.settle("1 /x");
  fds.connect(2, 1, "/x", 0, undefined);
  await kernel.has("incoming 1");
  await kernel.has("eof 2");
  assert.is(fds.connections, 1);
  fds.closeAll();
});

test("numbers and names of errors", () => {
  for (const code of ["EAGAIN", "EACCES", "EINVAL", "ECONNREFUSED", "EFSM"]) {
    assert.is(codeOf(errnoOf(code)), code);
  }
  assert.is(codeOf(99999), "E99999");
  assert.is(codeOf(errnoOf("ENONSENSE")), "EINVAL");
  assert.is(codeOf(errnoOf("ENONSENSE", "EACCES")), "EACCES");
  assert.is(zmqErrno("EFSM"), 156384712 + 51);
  assert.is(zmqErrno("EAGAIN"), undefined);
  // libzmq aborts on others.
  const connects = [["ETIMEDOUT", "ETIMEDOUT"], ["EACCES", "ECONNREFUSED"], [
    "ENOTFOUND",
    "ECONNREFUSED",
  ]];
  for (const [code, told] of connects) {
    assert.is(codeOf(connectErrno(code!)), told);
  }
  assert.is(codeOf(streamErrno("EPIPE")), "ECONNRESET");
  assert.is(codeOf(streamErrno("ETIMEDOUT")), "ETIMEDOUT");
});

/** A connection that takes so many bytes at once, in each of its calls; then none. */
class Sink implements Connection {
  readonly local = undefined;
  readonly remote = undefined;
  readonly got: number[] = [];
  readonly calls: string[] = [];
  events: ConnectionEvents | undefined;
  constructor(readonly room: number[], readonly both: boolean) {}
  start(events: ConnectionEvents) {
    this.events = events;
  }
  #take(pieces: Uint8Array[], most: number): number {
    const bytes = pieces.flatMap((piece) => [...piece]).slice(0, most);
    this.got.push(...bytes);
    return bytes.length;
  }
  write(bytes: Uint8Array): boolean {
    this.calls.push("write");
    this.#take([bytes], Infinity);
    return false;
  }
  get writeBoth() {
    if (!this.both) return undefined as never;
    return (first: Uint8Array, second: Uint8Array) => {
      this.calls.push("writeBoth");
      this.#take([first, second], Infinity);
      return false;
    };
  }
  writeNow(pieces: Uint8Array[]): number {
    this.calls.push("writeNow");
    return this.#take(pieces, this.room.shift() ?? 0);
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
    const { fds } = table();
    const sink = new Sink([...room], both);
    fds.outside.set("/sink", () => sink);
    fds.connect(7, 1, "/sink", 0, undefined);
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
    const { fds } = table();
    const sink = new Sink([...room], both);
    fds.outside.set("/sink", () => sink);
    fds.connect(7, 1, "/sink", 0, undefined);
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

test("bytes that follow a head are staged with it", () => {
  const { fds } = table();
  const sink = new Sink([], true);
  fds.outside.set("/sink", () => sink);
  fds.connect(7, 1, "/sink", 0, undefined);
  assert.is(fds.send(7, new Uint8Array([5, 6]), 0, 2, true), 2);
  assert.is(fds.send(7, new Uint8Array([7]), 0, 1), 1);
  assert.equal(sink.calls, ["write"]);
  assert.equal(sink.got, [5, 6, 7]);
  fds.close(7);
});

test("what came in and goes on has no room for a head: two pieces, or a copy", () => {
  const size = 100_000;
  for (const both of [true, false]) {
    const { fds } = table();
    const sink = new Sink([], both);
    fds.outside.set("/sink", () => sink);
    fds.connect(7, 1, "/sink", 0, undefined);
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

test("a head whose body never comes is written in the end", () => {
  const { fds } = table();
  const sink = new Sink([], true);
  fds.outside.set("/sink", () => sink);
  fds.connect(7, 1, "/sink", 0, undefined);
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
    const { fds, kernel } = table();
    const sink = new Sink([], true);
    fds.outside.set("/sink", () => sink);
    fds.connect(7, 1, "/sink", 0, undefined);
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
  const { fds, kernel } = table();
  const sink = new Sink([], true);
  fds.outside.set("/sink", () => sink);
  fds.connect(7, 1, "/sink", 0, undefined);
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
