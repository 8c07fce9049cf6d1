/** The end of sockets that have connected to inproc names which nobody binds. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Pull, Push, Subscriber } from "zeromq-wasm";
import { closeAll, next, use, within } from "./tools.ts";

const test = suite("unmet");
test.after.each(closeAll);

test("disposal takes their linger, and leaves others that wait for the name", async () => {
  const context = new Context();
  const other = use(new Push({ context }));
  other.connect("inproc://name");
  await other.send("kept");
  for (const linger of [0, 30]) {
    const socket = new Dealer({ context, linger });
    socket.connect("inproc://name");
    socket.connect("inproc://name");
    socket.connect("inproc://another");
    await socket.send("lost");
    const began = performance.now();
    await within(socket[Symbol.asyncDispose](), "the end");
    assert.ok(performance.now() - began >= linger - 5);
    assert.is(context.resources.sockets, 1);
  }
  const pull = use(new Pull({ context }));
  await pull.bind("inproc://name");
  assert.equal(await next(pull), ["kept"]);
});

test("disposal waits for who binds within linger", async () => {
  const context = new Context();
  const push = new Push({ context, linger: 60_000 });
  push.connect("inproc://later");
  await push.send("in time");
  const disposed = push[Symbol.asyncDispose]();
  const pull = use(new Pull({ context }));
  await pull.bind("inproc://later");
  assert.equal(await next(pull), ["in time"]);
  await within(disposed, "the end");
});

test("disposal during a bind takes linger, too", async () => {
  const push = use(new Push({ context: new Context(), linger: 20 }));
  push.connect("inproc://nobody");
  await push.send("lost");
  const bound = push.bind("tcp://127.0.0.1:*");
  await within(push[Symbol.asyncDispose](), "the end");
  await within(bound, "the bind");
  assert.ok(push.closed);
});

test("without an end of linger it waits with messages only", async () => {
  const context = new Context();
  const idle = use(new Dealer({ context }));
  const subscriber = use(new Subscriber({ context }));
  subscriber.subscribe("topic");
  const push = use(new Push({ context }));
  for (const socket of [idle, subscriber, push]) {
    socket.connect("inproc://nobody");
  }
  await push.send("waits");
  await within(idle[Symbol.asyncDispose](), "the end of the idle one");
  await within(subscriber[Symbol.asyncDispose](), "that of the subscriber");
  let isGone = false;
  const disposed = push[Symbol.asyncDispose]().then(() => isGone = true);
  const pull = use(new Pull({ context }));
  await pull.bind("inproc://other");
  assert.not.ok(isGone);
  await pull.bind("inproc://nobody");
  assert.equal(await next(pull), ["waits"]);
  await within(disposed, "the end");
});

test.run();
