/** What closing does to operations, iterations, options and everything after it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import { bound, closeAll, next, until, use, within } from "../socket/tools.ts";
import { differs, outcome } from "./module.ts";

const test = suite("closing");
test.after.each(closeAll);

const CLOSED = "EBADF: Socket is closed";

/** Closes the socket once this turn of the event loop is over. */
function closeSoon(socket: { close(): void }): void {
  setImmediate(() => socket.close());
}

/** How a `for await` over it ends. */
function iterated(things: AsyncIterable<unknown>): Promise<string> {
  return outcome(async () => {
    for await (const _ of things);
  });
}
const iterable = (socket: unknown) => socket as AsyncIterable<unknown>;

test("pending operations reject with EAGAIN", async () => {
  for (const Type of [zmq.Dealer, zmq.Pair]) {
    const socket = new Type();
    const pending = [socket.send("x"), socket.receive()];
    closeSoon(socket);
    for (const each of pending) assert.is(await outcome(() => each), "EAGAIN");
  }
  const request = new zmq.Request();
  const received = request.receive();
  closeSoon(request);
  assert.is(
    await outcome(() => received),
    differs("turn", { native: "EFSM", ours: "EAGAIN" }),
  );
});

test("for await ends", async () => {
  const pull = new zmq.Pull();
  closeSoon(pull);
  assert.is(await iterated(iterable(pull)), "ok");
  assert.is(await iterated(iterable(pull)), "ok", "closed before");
  const request = new zmq.Request();
  closeSoon(request);
  assert.is(
    await iterated(iterable(request)),
    differs("turn", { native: "EFSM", ours: "ok" }),
  );
  const timed = use(new zmq.Pull({ receiveTimeout: 0 }));
  assert.is(await iterated(iterable(timed)), "EAGAIN");
});

test("an iterator has `next` only, and break leaves the socket open", async () => {
  const pull = use(new zmq.Pull()), push = use(new zmq.Push({ linger: 0 }));
  const iterator = pull[Symbol.asyncIterator]();
  assert.equal(Object.keys(iterator), ["next"]);
  assert.is(iterator.return, undefined);
  push.connect(await bound(pull, "inproc"));
  await push.send("1");
  await push.send("2");
  for await (const _ of pull) break;
  assert.is(pull.closed, false);
  assert.equal(await next(pull), ["2"]);
});

test("after close everything throws EBADF at once", async () => {
  const socket = new zmq.Dealer();
  socket.close();
  socket.close();
  assert.is(socket.closed, true);
  assert.is(socket.readable, false);
  assert.is(socket.writable, false);
  const operations: (() => unknown)[] = [
    () => socket.send("x"),
    () => socket.receive(),
    () => socket.bind("inproc://x"),
    () => socket.unbind("inproc://x"),
    () => socket.connect("inproc://x"),
    () => socket.disconnect("inproc://x"),
    () => socket.bindSync("inproc://x"),
  ];
  for (const operation of operations) {
    assert.is(
      await outcome(operation, true),
      `throws ${CLOSED}`,
      `${operation}`,
    );
  }
  const code = differs("closedOption", { native: "ENOTSOCK", ours: "EBADF" });
  assert.is(await outcome(() => socket.linger), `throws ${code}`);
  assert.is(await outcome(() => socket.linger = 1), `throws ${code}`);
  assert.is(await outcome(() => socket.lastEndpoint), `throws ${code}`);
  assert.is(
    socket.context,
    differs<unknown>("closedOption", { native: undefined, ours: zmq.context }),
  );
});

test("closing during bind closes when it is bound", async () => {
  const socket = new zmq.Dealer();
  const binding = socket.bind("tcp://127.0.0.1:*");
  socket.close();
  assert.is(socket.closed, false);
  await within(binding, "bind");
  assert.is(socket.closed, true);
});

test("during bind and unbind everything but options is EBUSY", async () => {
  const socket = use(new zmq.Dealer());
  const says = "throws EBUSY: Socket is blocked by a bind or unbind operation";
  const bind = socket.bind("inproc://parity-blocked");
  // Nothing is awaited in between but what has thrown already.
  const first = outcome(() => socket.send("x"), true);
  assert.is(socket.linger, -1);
  assert.is(await first, says);
  await bind;
  const unbind = socket.unbind("inproc://parity-blocked");
  const second = outcome(() => socket.connect("inproc://x"), true);
  assert.is(await second, says);
  await unbind;
});

test("unbinding frees the address", async () => {
  const socket = use(new zmq.Dealer()), other = use(new zmq.Dealer());
  const address = await bound(socket);
  assert.is(
    await outcome(() => other.bind(address), true),
    "EADDRINUSE: Address already in use",
  );
  await socket.unbind(address);
  await until(
    async () => await outcome(() => other.bind(address)) === "ok",
    "the address is free",
  );
  assert.is(other.lastEndpoint, address);
});

test("bindSync and unbindSync", async () => {
  const socket = use(new zmq.Dealer()),
    peer = use(new zmq.Dealer({ linger: 0 }));
  for (const address of ["inproc://parity-sync", "tcp://127.0.0.1:*"]) {
    socket.bindSync(address);
    peer.connect(socket.lastEndpoint!);
    await peer.send("x");
    assert.equal(await next(socket), ["x"]);
    peer.disconnect(socket.lastEndpoint!);
    assert.is(
      await outcome(() => socket.unbindSync(socket.lastEndpoint!)),
      differs("unbindSync", { native: "throws EADDRINUSE", ours: "ok" }),
    );
  }
  const other = use(new zmq.Dealer());
  const taken = await bound(other);
  assert.is(
    await outcome(() => socket.bindSync(taken), true),
    "throws EADDRINUSE: Address already in use",
  );
});

test.run();
