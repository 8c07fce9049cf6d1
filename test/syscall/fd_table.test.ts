/** The fd table on a host in memory, and the numbers of errors. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  codeOf,
  connectErrno,
  errnoOf,
  streamErrno,
  zmqErrno,
} from "../../ts/syscall/errno.ts";
import type { FdTable } from "../../ts/syscall/fd_table.ts";
import { within } from "../socket/tools.ts";
import { table } from "./table.ts";

const test = suite("fd table");

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

test("how long the host held a write is told, in whole milliseconds", async () => {
  const { fds, kernel, host } = table();
  let time = 1000;
  Object.assign(host, { now: () => time });
  await fds.prepare("4 10.0.0.1 0", 10);
  const port = fds.listen(1, 4, "10.0.0.1", 0);
  assert.is(fds.connect(2, 4, "10.0.0.1", port, undefined), 0);
  await kernel.has("connected 2");
  time += 100;
  assert.is(send(fds, "odd"), 3);
  time += 6.2;
  await kernel.has("writable 2");
  assert.is(kernel.took, 7);
});

test("what takes long is told to the host, and counts as work", async () => {
  const { fds, kernel, host } = table();
  await fds.prepare("4 10.0.0.1 0", 10);
  const port = fds.listen(1, 4, "10.0.0.1", 0);
  const connect = host.connect.bind(host);
  let told = 0;
  Object.assign(host, {
    connect: (...args: Parameters<typeof connect>) =>
      Object.assign(connect(...args), { takesLong: () => told++ }),
  });
  assert.is(fds.connect(2, 4, "10.0.0.1", port, undefined), 0);
  await kernel.has("incoming 1");
  fds.takesLong(2, 1234);
  assert.is(told, 1);
  await kernel.has("worked 1234");
  // Other hosts need not listen.
  fds.takesLong(100, 5);
  assert.is(told, 1);
  await kernel.has("worked 5");
});

test("a listener that libzmq does not take is closed, one that fails is told", async () => {
  const { fds, host } = table();
  await fds.prepare("1 /path", 10);
  assert.is(fds.listeners, 1);
  assert.is(fds.settle("1 /path"), undefined);
  assert.is(fds.listeners, 0);
  const name = { host: "10.0.0.1", port: 7 };
  await host.listen({ kind: "tcp", family: 4, ...name }, 1);
  await fds.prepare("4 10.0.0.1 7", 10);
  assert.is(fds.listen(1, 4, name.host, name.port), -errnoOf("EADDRINUSE"));
  const error = fds.settle("4 10.0.0.1 7");
  assert.is(error!.code, "EADDRINUSE");
  assert.is(fds.listen(1, 4, name.host, name.port), -errnoOf("EADDRNOTAVAIL"));
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
  const connects = [["ETIMEDOUT", "ETIMEDOUT"], ["EACCES", "EHOSTUNREACH"], [
    "ENOTFOUND",
    "EHOSTUNREACH",
  ], ["ENOENT", "ECONNREFUSED"]];
  for (const [code, told] of connects) {
    assert.is(codeOf(connectErrno(code!)), told);
  }
  assert.is(codeOf(streamErrno("EPIPE")), "ECONNRESET");
  assert.is(codeOf(streamErrno("ETIMEDOUT")), "ETIMEDOUT");
});

test.run();
