/** Proxies: what they move, what they refuse, how they end. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import { bound, closeAll, next, stays, use, within } from "../socket/tools.ts";
import { differs, isNative, outcome } from "./module.ts";

const test = suite("proxy");
test.after.each(closeAll);

test("requests and replies go through, until it is terminated", async () => {
  const proxy = new zmq.Proxy(new zmq.Router(), new zmq.Dealer());
  const request = use(new zmq.Request({ linger: 0 }));
  const reply = use(new zmq.Reply({ linger: 0 }));
  request.connect(await bound(proxy.frontEnd));
  reply.connect(await bound(proxy.backEnd));
  const running = proxy.run();
  await request.send("question");
  assert.equal(await next(reply), ["question"]);
  await reply.send("answer");
  assert.equal(await next(request), ["answer"]);
  proxy.terminate();
  await within(running, "the end");
  assert.is(proxy.frontEnd.closed, true);
  assert.is(proxy.backEnd.closed, true);
  assert.match(await outcome(() => proxy.terminate()), /^throws EBADF/);
});

// The native package's thread hears of it in its own time: nothing to test there.
(isNative ? test.skip : test)("pause and resume", async () => {
  const proxy = new zmq.Proxy(new zmq.Pull(), new zmq.Push());
  const push = use(new zmq.Push({ linger: 0 })), pull = use(new zmq.Pull());
  push.connect(await bound(proxy.frontEnd));
  pull.connect(await bound(proxy.backEnd));
  const running = proxy.run();
  await push.send("1");
  assert.equal(await next(pull), ["1"]);
  proxy.pause();
  await push.send("2");
  const second = next(pull);
  assert.ok(await stays(second));
  proxy.resume();
  assert.equal(await second, ["2"]);
  proxy.terminate();
  await within(running, "the end");
});

test("sockets that nobody can reach", async () => {
  const front = use(new zmq.Router()), back = use(new zmq.Dealer());
  const proxy = new zmq.Proxy(front, back);
  assert.is(
    await outcome(() => proxy.run(), true),
    "throws EINVAL: Front-end socket must be bound or connected",
  );
  await front.bind("inproc://parity-front");
  assert.is(
    await outcome(() => proxy.run(), true),
    "throws EINVAL: Back-end socket must be bound or connected",
  );
  for (const name of ["pause", "resume", "terminate"] as const) {
    assert.is(
      await outcome(() => proxy[name](), true),
      "throws EBADF: Socket is closed",
    );
  }
});

test("wrong arguments", async () => {
  const Proxy = zmq.Proxy as unknown as new (...ends: unknown[]) => unknown;
  const socket = use(new zmq.Router());
  assert.is(
    await outcome(() => new Proxy(), true),
    "throws TypeError: Front-end must be a socket object",
  );
  assert.is(
    await outcome(() => new Proxy(socket), true),
    "throws TypeError: Back-end must be a socket object",
  );
  assert.is(
    await outcome(() => new Proxy(socket, {}), true),
    differs("messages", {
      native: "throws Error: Invalid argument",
      ours: "throws TypeError: Back-end must be a socket object",
    }),
  );
});

test("while it runs its sockets are its own", async () => {
  const proxy = new zmq.Proxy(new zmq.Router(), new zmq.Dealer());
  await bound(proxy.frontEnd);
  await bound(proxy.backEnd);
  const running = proxy.run();
  assert.is(
    await outcome(() => proxy.frontEnd.send(["x", "y"])),
    "throws EBUSY",
  );
  assert.is(await outcome(() => proxy.backEnd.receive()), "throws EBUSY");
  proxy.terminate();
  await within(running, "the end");
});

test("a socket that is closed is so when the proxy ends, which goes on", async () => {
  const proxy = new zmq.Proxy(new zmq.Router(), new zmq.Dealer());
  const { frontEnd, backEnd } = proxy;
  const request = use(new zmq.Request({ linger: 0 }));
  const reply = use(new zmq.Reply({ linger: 0 }));
  request.connect(await bound(frontEnd));
  reply.connect(await bound(backEnd));
  const running = proxy.run();
  frontEnd.close();
  assert.is(frontEnd.closed, false);
  await request.send("question");
  assert.equal(await next(reply), ["question"]);
  await reply.send("answer");
  assert.equal(await next(request), ["answer"]);
  proxy.terminate();
  await within(running, "the end");
  assert.is(frontEnd.closed, true);
  assert.is(backEnd.closed, true);
});

test.run();
