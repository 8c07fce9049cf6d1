/** Proxies between each pair of types, their control and their errors. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import {
  bound,
  checkError,
  closeAll,
  next,
  stays,
  thrown,
  type Transport,
  use,
  within,
} from "./tools.ts";

const test = suite("proxy");
test.after.each(closeAll);

async function started<F extends zmq.Socket, B extends zmq.Socket>(
  front: F,
  back: B,
  transport: Transport = "tcp",
) {
  const ends = [
    await bound(use(front), transport),
    await bound(use(back), transport),
  ] as const;
  const proxy = new zmq.Proxy(front, back);
  assert.is(proxy.frontEnd, front);
  assert.is(proxy.backEnd, back);
  return { proxy, running: proxy.run(), ends };
}

for (const transport of ["tcp", "inproc"] as const) {
  test(`requests through Router and Dealer over ${transport}`, async () => {
    const { proxy, running, ends } = await started(
      new zmq.Router(),
      new zmq.Dealer(),
      transport,
    );
    const workers = [1, 2, 3].map(() => use(new zmq.Reply({ linger: 0 })));
    for (const [i, worker] of workers.entries()) {
      worker.connect(ends[1]);
      void (async () => {
        for await (const message of worker) {
          await worker.send([...message, `worker ${i}`]);
        }
      })();
    }
    const clients = [1, 2, 3, 4].map(() => use(new zmq.Request({ linger: 0 })));
    for (const client of clients) client.connect(ends[0]);
    await Promise.all(clients.map(async (client, c) => {
      for (let i = 0; i < 100; i++) {
        await client.send([c, "x".repeat(i * 50), i]);
        const [who, , which, by] = await next(client);
        assert.equal([who, which], [String(c), String(i)]);
        assert.match(by!, /^worker \d$/);
      }
    }));
    proxy.terminate();
    await within(running, "the end");
    assert.ok(proxy.frontEnd.closed && proxy.backEnd.closed);
  });

  test(`a stream of work through Pull and Push over ${transport}`, async () => {
    const { proxy, running, ends } = await started(
      new zmq.Pull(),
      new zmq.Push({ linger: 0 }),
      transport,
    );
    const push = use(new zmq.Push({ linger: 0 })), pull = use(new zmq.Pull());
    push.connect(ends[0]);
    pull.connect(ends[1]);
    // More than all the queues on the way take.
    const sending = (async () => {
      for (let i = 0; i < 6000; i++) await push.send([i, "body"]);
    })();
    for (let i = 0; i < 6000; i++) {
      assert.equal(await next(pull, `message ${i}`), [String(i), "body"]);
    }
    await sending;
    proxy.terminate();
    await within(running, "the end");
  });

  test(`subscriptions through XSubscriber and XPublisher over ${transport}`, async () => {
    const { proxy, running, ends } = await started(
      new zmq.XSubscriber(),
      new zmq.XPublisher({ linger: 0 }),
      transport,
    );
    const publisher = use(new zmq.XPublisher({ linger: 0 }));
    publisher.connect(ends[0]);
    const subscriber = use(new zmq.Subscriber());
    subscriber.subscribe("a");
    subscriber.connect(ends[1]);
    const received = next(subscriber);
    while (await stays(received, 5)) {
      await publisher.send("b: other");
      await publisher.send(["a: wanted", "more"]);
    }
    assert.equal(await received, ["a: wanted", "more"]);
    proxy.terminate();
    await within(running, "the end");
  });
}

test("pause stops the messages, resume lets them go on", async () => {
  const { proxy, running, ends } = await started(
    new zmq.Pull(),
    new zmq.Push({ linger: 0 }),
  );
  const push = use(new zmq.Push({ linger: 0 })), pull = use(new zmq.Pull());
  push.connect(ends[0]);
  pull.connect(ends[1]);
  await push.send("before");
  assert.equal(await next(pull), ["before"]);
  proxy.pause();
  await push.send("meanwhile");
  const received = next(pull);
  assert.ok(await stays(received, 50));
  proxy.resume();
  assert.equal(await received, ["meanwhile"]);
  proxy.terminate();
  await within(running, "the end");
});

test("what was received ahead is sent on first", async () => {
  const front = use(new zmq.Pull()), back = use(new zmq.Push({ linger: 0 }));
  const push = use(new zmq.Push({ linger: 0 })), pull = use(new zmq.Pull());
  push.connect(await bound(front));
  pull.connect(await bound(back));
  for (let i = 0; i < 100; i++) await push.send(i);
  assert.equal(await next(front), ["0"]);
  const proxy = new zmq.Proxy(front, back);
  const running = proxy.run();
  for (let i = 1; i < 100; i++) assert.equal(await next(pull), [String(i)]);
  proxy.terminate();
  await within(running, "the end");
});

test("what many connections bring at once is sent on together", async () => {
  const CLIENTS = 100, ROUNDS = 20;
  let writes = 0;
  const context = new zmq.Context({
    trace: (line) =>
      writes += /^call\s+send\(\d+, memory, \d+, [1-9]/.test(line) ? 1 : 0,
  });
  const { proxy, running, ends } = await started(
    new zmq.Pull({ context }),
    new zmq.Push({ context }),
  );
  const source = use(new zmq.Push({ linger: 0 }));
  const sink = use(new zmq.Pull());
  for (let i = 0; i < CLIENTS; i++) source.connect(ends[0]);
  sink.connect(ends[1]);
  for (let round = 0; round <= ROUNDS; round++) {
    if (round === 1) writes = 0;
    for (let i = 0; i < CLIENTS; i++) await source.send(`${i}`);
    for (let i = 0; i < CLIENTS; i++) await next(sink);
  }
  assert.ok(writes >= ROUNDS, `${writes} writes`);
  assert.ok(writes < CLIENTS * ROUNDS / 2, `${writes} writes`);
  proxy.terminate();
  await running;
});

test("both sockets are blocked meanwhile", async () => {
  const { proxy, running } = await started(new zmq.Router(), new zmq.Dealer());
  for (const socket of [proxy.frontEnd, proxy.backEnd]) {
    for (
      const call of [
        () => socket.send("x"),
        () => socket.receive(),
        () => socket.connect("inproc://x"),
        () => socket.bind("inproc://x"),
      ]
    ) checkError(thrown(call), "EBUSY");
  }
  checkError(thrown(() => proxy.run()), "EBUSY");
  proxy.terminate();
  await within(running, "the end");
});

test("disposal of a socket waits for the end of the proxy", async () => {
  const { proxy, running } = await started(new zmq.Router(), new zmq.Dealer());
  const disposed = proxy.frontEnd[Symbol.asyncDispose]();
  assert.ok(await stays(disposed));
  proxy.terminate();
  await within(disposed, "the end");
  await within(running, "that of the proxy");
  assert.is(proxy.backEnd.closed, true);
  checkError(thrown(() => proxy.pause()), "EBADF");
});

test("what cannot run says why", async () => {
  const socket = use(new zmq.Router()), other = use(new zmq.Dealer());
  const says = (call: () => unknown, text: RegExp) => {
    const error = thrown(call, String(text));
    assert.match(error.message, text);
    return error;
  };
  const Make = zmq.Proxy as unknown as new (...ends: unknown[]) => unknown;
  assert.instance(
    says(() => new Make({}, socket), /Front-end must be a socket object/),
    TypeError,
  );
  says(() => new Make(socket, undefined), /Back-end must be a socket object/);
  const proxy = new zmq.Proxy(socket, other);
  for (const method of ["pause", "resume", "terminate"] as const) {
    checkError(thrown(() => proxy[method]()), "EBADF");
  }
  const front = /Front-end socket must be bound or connected/;
  checkError(says(() => proxy.run(), front), "EINVAL");
  await bound(socket);
  says(() => proxy.run(), /Back-end socket must be bound or connected/);
  await bound(other);
  const foreign = use(new zmq.Dealer({ context: new zmq.Context() }));
  await bound(foreign);
  says(() => new zmq.Proxy(socket, foreign).run(), /same context/);
  socket.close();
  other.close();
  says(() => proxy.run(), front);
});

test.run();
