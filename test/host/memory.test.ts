/** Contexts on a host that is not the runtime's: all that happens goes through it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Subscriber,
} from "zeromq-wasm";
import {
  checkError,
  closeAll,
  next,
  rejection,
  thrown,
  until,
  use,
  within,
} from "../socket/tools.ts";
import { memoryHost } from "./memory_host.ts";

const test = suite("memory host");
test.after.each(closeAll);

function contexts() {
  const host = memoryHost();
  return {
    host,
    one: new Context({ host }),
    two: new Context({ host }),
  };
}

for (
  const address of ["tcp://10.0.0.1:*", "tcp://mem0:*", "ipc:///x", "ipc://*"]
) {
  test(`two contexts talk over ${address}`, async () => {
    const { one, two } = contexts();
    const reply = use(new Reply({ context: one }));
    const request = use(new Request({ context: two, linger: 0 }));
    await within(reply.bind(address), "bind");
    request.connect(reply.lastEndpoint!);
    for (let i = 0; i < 50; i++) {
      await request.send(["question", i]);
      assert.equal(await next(reply), ["question", String(i)]);
      await reply.send(`answer ${i}`);
      assert.equal(await next(request), [`answer ${i}`]);
    }
  });
}

test("much, large and odd data arrives whole", async () => {
  const { host, one, two } = contexts();
  const pull = use(new Pull({ context: one }));
  const push = use(new Push({ context: two, linger: 0 }));
  await pull.bind("tcp://10.0.0.1:*");
  push.connect(pull.lastEndpoint!);
  const frames = [1, 77, 9999, 65536, 300_001].map((size) =>
    Uint8Array.from({ length: size }, (_, i) => (i * size) & 255)
  );
  const sending = (async () => {
    for (let i = 0; i < 300; i++) await push.send([i, frames[i % 5]!]);
  })();
  for (let i = 0; i < 300; i++) {
    const [head, body] = await within(pull.receive(), `message ${i}`);
    assert.is(String(head), String(i));
    assert.is(body!.length, frames[i % 5]!.length);
    assert.ok(body!.every((byte, j) => byte === frames[i % 5]![j]), `${i}`);
  }
  await sending;
  // Waiting is what keeps the process alive, and nothing else.
  assert.is(host.alive(), 0);
});

test("errors come from the host", async () => {
  const { one, two } = contexts();
  const first = use(new Pair({ context: one }));
  const second = use(new Pair({ context: two }));
  await first.bind("tcp://10.0.0.1:7000");
  const taken = await rejection(second.bind("tcp://10.0.0.1:7000"));
  checkError(taken, "EADDRINUSE", { address: "tcp://10.0.0.1:7000" });
  assert.is(taken.errno, "EADDRINUSE".length, "its number is the host's");
  const forbidden = thrown(() => second.connect("tcp://10.0.0.1:6666"));
  checkError(forbidden, "EACCES", {
    address: "tcp://10.0.0.1:6666",
    says: /that port is forbidden/,
  });
  await within(second.bind("tcp://home:*"), "a name the host resolves");
  checkError(await rejection(second.bind("tcp://away:*")), "ENODEV", {
    address: "tcp://away:*",
  });
});

test("a lost connection is made again", async () => {
  const { one, two } = contexts();
  const push = use(
    new Push({ context: two, linger: 0, reconnectInterval: 1 }),
  );
  const address = "tcp://10.0.0.1:7100";
  push.connect(address);
  for (let i = 0; i < 3; i++) {
    const pull = new Pull({ context: one });
    await until(() => pull.bind(address).then(() => true, () => false), "bind");
    const received = next(pull);
    let done = false;
    void received.finally(() => done = true).catch(() => {});
    while (!done) {
      await push.send("x");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.equal(await received, ["x"]);
    pull.close();
  }
});

const total = (calls: Map<string, number>) =>
  [...calls.values()].reduce((sum, count) => sum + count, 0);

test("idle sockets set no timer and are never pumped", async () => {
  const { host, one, two } = contexts();
  // libzmq's timer of a handshake runs on after it.
  const handshakeInterval = 0;
  const publisher = use(new Publisher({ context: one, handshakeInterval }));
  const subscriber = use(new Subscriber({ context: two, handshakeInterval }));
  const dealer = use(new Dealer({ context: two, handshakeInterval }));
  const server = use(new Dealer({ context: one, handshakeInterval }));
  await publisher.bind("tcp://10.0.0.1:*");
  await server.bind("ipc:///idle");
  subscriber.subscribe("");
  subscriber.connect(publisher.lastEndpoint!);
  dealer.connect("ipc:///idle");
  await dealer.send("hello");
  assert.equal(await next(server), ["hello"]);
  let received = false;
  const receiving = subscriber.receive();
  void receiving.then(() => received = true);
  while (!received) {
    await publisher.send("x");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  // More than one may have been sent: none is to end the wait that follows.
  await publisher.send("last");
  for (let text = ""; text !== "last";) {
    text = String((await next(subscriber))[0]);
  }
  // One that waits is idle too.
  const waiting = subscriber.receive().catch(() => {});
  await until(() => host.timers() === 0, "no timer pending");
  // The last of the messages may still be under way. Where the process itself stood still for
  // a moment, one silence says nothing.
  let before = new Map<string, number>();
  let silences = 0;
  await until(async () => {
    before = new Map(host.calls);
    await new Promise((resolve) => setTimeout(resolve, 20));
    silences = total(host.calls) === total(before) ? silences + 1 : 0;
    return silences === 5;
  }, "silence");
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(new Map(host.calls), before, "no call of the host at all");
  assert.is(host.timers(), 0);
  assert.is(host.alive(), 1);
  subscriber.close();
  await waiting;
  assert.is(host.alive(), 0);
});

test("a heartbeat is one timer at a time", async () => {
  const { host, one, two } = contexts();
  const a = use(new Dealer({ context: one, heartbeatInterval: 20 }));
  const b = use(new Dealer({ context: two }));
  await a.bind("tcp://10.0.0.1:*");
  b.connect(a.lastEndpoint!);
  await b.send("x");
  assert.equal(await next(a), ["x"]);
  const before = host.calls.get("setTimer") ?? 0;
  let most = 0;
  const end = performance.now() + 300;
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    most = Math.max(most, host.timers());
  }
  const set = (host.calls.get("setTimer") ?? 0) - before;
  assert.ok(most <= 2, `${most} timers at once in two contexts`);
  assert.ok(set >= 2 && set <= 40, `${set} timers in 300 ms`);
});

test.run();
