/** What sockets and contexts count. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  type Counters,
  Dealer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "zeromq-wasm";
import { ZapHandler } from "../support/zap.ts";
import {
  anywhere,
  bound,
  closeAll,
  freePort,
  next,
  rejection,
  TRANSPORTS,
  until,
  use,
  within,
} from "./tools.ts";

const test = suite("counters");
test.after.each(closeAll);

/** Those that are not zero, without the time. */
function some({ since: _, ...counters }: Counters): Partial<Counters> {
  return Object.fromEntries(
    Object.entries(counters).filter(([, value]) => value !== 0),
  );
}

const counted = (thing: Socket | Context) => some(thing.counters);

/** Waits until these counters are so. */
async function reach(
  thing: Socket | Context,
  wanted: Partial<Counters>,
): Promise<void> {
  await until(
    () =>
      Object.entries(wanted).every(([name, value]) =>
        thing.counters[name as keyof Counters] === value
      ),
    `${JSON.stringify(wanted)}, last ${JSON.stringify(thing.counters)}`,
  );
}

test("a new socket and a new context have counted nothing", () => {
  const before = Date.now();
  const context = new Context();
  assert.equal(counted(context), {});
  const socket = use(new Dealer({ context }));
  assert.equal(counted(socket), {});
  for (const { counters: { since } } of [context, socket]) {
    assert.instance(since, Date);
    assert.ok(+since >= before && +since <= Date.now());
  }
  // They are copies: nobody can change what is counted.
  socket.counters.since.setTime(0);
  Object.assign(socket.counters, { messagesSent: 7 });
  assert.ok(+socket.counters.since >= before);
  assert.is(socket.counters.messagesSent, 0);
});

for (const transport of TRANSPORTS) {
  test(`messages and bytes over ${transport}`, async () => {
    const context = new Context();
    const reply = use(new Reply({ context }));
    const request = use(new Request({ context, linger: 0 }));
    request.connect(await bound(reply, transport));
    const large = new Uint8Array(100_000);
    for (let i = 0; i < 3; i++) {
      await request.send(["12345", large]);
      await within(reply.receive(), "a question");
      await reply.send("");
      await within(request.receive(), "an answer");
    }
    const connections = transport === "inproc"
      ? {}
      : { connections: 1, connectionsMade: 1 };
    assert.equal(counted(request), {
      messagesSent: 3,
      bytesSent: 300_015,
      messagesReceived: 3,
      ...connections,
    });
    assert.equal(counted(reply), {
      messagesSent: 3,
      messagesReceived: 3,
      bytesReceived: 300_015,
      ...connections,
    });
    const sums = {
      messagesSent: 6,
      bytesSent: 300_015,
      messagesReceived: 6,
      bytesReceived: 300_015,
    };
    assert.equal(counted(context), {
      ...sums,
      ...(transport === "inproc" ? {} : { connections: 2, connectionsMade: 2 }),
    });
    // What was, counts.
    request.close();
    reply.close();
    await until(() => context.resources.sockets === 0, "no socket");
    const made = transport === "inproc" ? {} : { connectionsMade: 2 };
    assert.equal(counted(context), { ...sums, ...made });
    assert.is(counted(request).bytesSent, 300_015);
    assert.is(
      counted(request).connectionsMade,
      connections.connectionsMade,
    );
    assert.is(request.counters.connections, 0);
  });
}

test("every way to send and to receive counts", async () => {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  push.connect(await bound(pull, "inproc"));
  await push.sendMany(["a", ["b", "c"]]);
  await push.sendJSON("d");
  const writer = push.writableStream().getWriter();
  await writer.write("e");
  assert.equal([push.counters.messagesSent, push.counters.bytesSent], [4, 7]);
  // Whoever has bound learns of the connection a little later.
  assert.is(push.counters.queuedToSend, 4);
  await reach(pull, { queuedToReceive: 4 });
  await pull.receiveMany({ max: 1 });
  await pull.receiveWithProperties();
  await pull.receiveJSON();
  for await (const _ of pull) break;
  const { messagesReceived, bytesReceived } = pull.counters;
  assert.equal([messagesReceived, bytesReceived], [4, 7]);
  assert.is(pull.counters.queuedToReceive, 0);
});

test("what fails or is dropped counts as libzmq takes it", async () => {
  const push = use(new Push({ linger: 0, sendTimeout: 0 }));
  await rejection(push.send("nobody"));
  assert.equal(counted(push), {});
  // A Publisher takes what it then drops.
  const publisher = use(new Publisher());
  await publisher.send("nobody");
  assert.equal(counted(publisher), { messagesSent: 1, bytesSent: 6 });
  // What waited for room counts once, when it is queued.
  const patient = use(new Push({ linger: 0 }));
  const pull = use(new Pull());
  const sending = patient.send("wait");
  assert.equal(counted(patient), {});
  patient.connect(await bound(pull, "inproc"));
  await within(sending, "the send");
  assert.is(patient.counters.messagesSent, 1);
});

test("what waits for a peer that is not there is queued", async () => {
  const push = use(new Push({ linger: 0, reconnectInterval: 10 }));
  const port = await freePort();
  push.connect(`tcp://127.0.0.1:${port}`);
  for (let i = 0; i < 5; i++) await push.send(["x", `${i}`]);
  assert.is(push.counters.queuedToSend, 5);
  await until(() => push.counters.reconnects >= 2, "attempts");
  assert.is(push.counters.connectionsMade, 0);
  const pull = use(new Pull());
  await pull.bind(`tcp://127.0.0.1:${port}`);
  for (let i = 0; i < 5; i++) assert.equal(await next(pull), ["x", `${i}`]);
  await reach(push, { queuedToSend: 0, connections: 1, connectionsMade: 1 });
});

test("each message that waits to be received is queued", async () => {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  push.connect(await bound(pull));
  for (let i = 0; i < 300; i++) await push.send(["x", "y"]);
  await reach(pull, { queuedToReceive: 300 });
  // Also those that are fetched with the first one.
  for (let i = 0; i < 300; i++) {
    await next(pull);
    assert.is(pull.counters.queuedToReceive, 299 - i);
  }
});

test("queued for each subscriber; up to the high-water mark", async () => {
  const publisher = use(new Publisher({ sendHighWaterMark: 5, linger: 0 }));
  const address = await bound(publisher, "inproc");
  const subscribers = [1, 2].map(() => {
    const subscriber = use(new Subscriber({ receiveHighWaterMark: 5 }));
    subscriber.connect(address);
    subscriber.subscribe("");
    return subscriber;
  });
  // A Publisher learns of subscriptions when libzmq lets it.
  await until(async () => {
    await publisher.send("first");
    return subscribers.every(({ readable }) => readable);
  }, "subscriptions");
  for (let i = 0; i < 50; i++) await publisher.send("x");
  for (const subscriber of subscribers) {
    assert.is(subscriber.counters.queuedToReceive, 10);
  }
  // Each has taken one to see whether it is wanted.
  assert.is(publisher.counters.queuedToSend, 18);
});

test("what libzmq has taken to have a look is still queued", async () => {
  const sockets: [Socket, Socket & { send(x: string): Promise<void> }][] = [
    [use(new Router()), use(new Dealer({ linger: 0 }))],
    [use(new Reply()), use(new Request({ linger: 0 }))],
    [use(new XPublisher()), use(new XSubscriber())],
  ];
  for (const [receiver, sender] of sockets) {
    sender.connect(await bound(receiver));
    await sender.send("\x01x");
    await reach(receiver, { queuedToReceive: 1 });
    assert.is(receiver.readable, true);
    assert.is(receiver.counters.queuedToReceive, 1);
  }
});

test("user ids of peers do not count as messages", async () => {
  use(await ZapHandler.start(() => "200"));
  const pull = use(new Pull({ plainServer: true, zapDomain: "d" }));
  const push = use(
    new Push({ plainUsername: "u", plainPassword: "p", linger: 0 }),
  );
  push.connect(await bound(pull));
  await push.send("x");
  await reach(pull, { queuedToReceive: 1 });
  await next(pull);
  assert.is(pull.counters.queuedToReceive, 0);
});

test("a closed socket still tells what waits", async () => {
  const context = new Context();
  const push = use(new Push({ context, linger: -1 }));
  const port = await freePort();
  push.connect(`tcp://127.0.0.1:${port}`);
  for (let i = 0; i < 4; i++) await push.send("x");
  push.close();
  assert.is(push.counters.queuedToSend, 4);
  assert.is(context.counters.queuedToSend, 4);
  const pull = use(new Pull());
  await pull.bind(`tcp://127.0.0.1:${port}`);
  for (let i = 0; i < 4; i++) await next(pull);
  await until(() => context.resources.sockets === 0, "no socket");
  assert.is(push.counters.queuedToSend, 0);
  assert.equal(counted(context), {
    messagesSent: 4,
    bytesSent: 4,
    connectionsMade: 1,
    ...(context.counters.reconnects > 0
      ? { reconnects: context.counters.reconnects }
      : {}),
  });
});

test("connections that come, go and come again", async () => {
  const context = new Context();
  const port = await freePort();
  const address = `tcp://127.0.0.1:${port}`;
  const dealers = [1, 2, 3].map(() => {
    const dealer = use(
      new Dealer({ context, linger: 0, reconnectInterval: 1 }),
    );
    dealer.connect(address);
    return dealer;
  });
  const stand = { connections: 1 };
  for (let i = 1; i <= 3; i++) {
    const router = use(new Router());
    await router.bind(address);
    for (const dealer of dealers) {
      await reach(dealer, { ...stand, connectionsMade: i });
      assert.ok(dealer.counters.reconnects >= i - 1);
    }
    await reach(context, { connections: 3, connectionsMade: 3 * i });
    await reach(router, { connections: 3, connectionsMade: 3 });
    router.close();
    for (const dealer of dealers) {
      await reach(dealer, { connections: 0, connectionsMade: i });
    }
  }
  // A connection that is ended by us is over, too.
  const router = use(new Router());
  await router.bind(address);
  await reach(router, { connections: 3 });
  dealers[0]!.disconnect(address);
  await reach(dealers[0]!, { connections: 0 });
  await reach(router, { connections: 2, connectionsMade: 3 });
  await reach(context, { connections: 2 });
});

test("who does not finish the handshake is no connection", async () => {
  const stream = use(new Stream());
  const dealer = use(new Dealer({ linger: 0, handshakeInterval: 20 }));
  dealer.connect(await bound(stream));
  // The raw end has one each time; the other never gets to know who it is.
  await until(() => stream.counters.connectionsMade >= 2, "two attempts");
  assert.is(dealer.counters.connectionsMade, 0);
  assert.ok(dealer.counters.reconnects >= 1);
});

test("a proxy's sockets count what it moves", async () => {
  const context = new Context();
  const router = use(new Router({ context }));
  const back = use(new Dealer({ context }));
  const request = use(new Request({ linger: 0 }));
  const reply = use(new Reply());
  request.connect(await bound(router));
  reply.connect(await bound(back));
  // Taken by the program before the proxy is there.
  await request.send("early");
  const [id, empty] = await within(router.receive(), "a question");
  await router.send([id!, empty!, "answer"]);
  assert.equal(await next(request), ["answer"]);
  const bytes = id!.length + empty!.length;
  const proxy = new Proxy(router, back);
  const running = proxy.run();
  for (let i = 0; i < 10; i++) {
    await request.send("12345");
    assert.equal(await next(reply), ["12345"]);
    await reply.send("123");
    assert.equal(await next(request), ["123"]);
  }
  const expected = {
    messagesReceived: 11,
    bytesReceived: 11 * bytes + 5 + 50,
    messagesSent: 11,
    bytesSent: 11 * bytes + 6 + 30,
  };
  const check = () => {
    const { connections: _, connectionsMade: __, ...rest } = counted(router);
    assert.equal(rest, expected);
    assert.is(back.counters.messagesSent, 10);
    assert.is(back.counters.messagesReceived, 10);
    assert.is(context.counters.messagesSent, 21);
  };
  check();
  proxy.terminate();
  await within(running, "the end of the proxy");
  assert.is(router.closed, true);
  check();
});

test("observers do not count, nor does watching them", async () => {
  const context = new Context();
  const pair = use(new Pair({ context }));
  const { events } = pair;
  await pair.bind(anywhere("inproc"));
  await pair.bind("tcp://127.0.0.1:*");
  await within(events.receive(), "an event");
  assert.equal(counted(context), {});
});

test("a dead context still tells what it did", async () => {
  const context = new Context({ memoryLimit: 4 * 2 ** 20 });
  const pull = use(new Pull({ context }));
  const push = use(new Push({ context, sendHighWaterMark: 0 }));
  push.connect(await bound(pull, "inproc"));
  await push.send("x");
  await next(pull);
  const failed = await rejection((async () => {
    for (;;) await push.send(new Uint8Array(2 ** 16));
  })());
  assert.match(failed.message, /memory/i);
  assert.ok(context.counters.messagesSent > 1);
  assert.is(context.counters.messagesReceived, 1);
  assert.is(pull.counters.messagesReceived, 1);
  assert.is(push.counters.messagesSent, context.counters.messagesSent);
});

test.run();
