/** What comes up to a publisher over inproc, where nobody has looked at it (0053, 0076). */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  Dealer,
  Pair,
  Proxy,
  Publisher,
  Push,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "zeromq-wasm";
import {
  anywhere,
  bound,
  closeAll,
  next,
  until,
  use,
  within,
} from "../socket/tools.ts";

const test = suite("upstream");
test.after.each(closeAll);

const LARGE = 70_000;
const filled = (byte: number, size = LARGE) => new Uint8Array(size).fill(byte);

/** What is sent, and what an XPublisher receives of it: each frame's size and first byte. */
const MESSAGES: [string, Uint8Array[], [number, number][][]][] = [
  ["of 32 KiB", [filled(7, 32768)], [[[32768, 7]]]],
  ["of one frame", [filled(7)], [[[LARGE, 7]]]],
  ["that subscribes", [filled(1)], [[[LARGE, 1]]]],
  ["that unsubscribes", [filled(0)], [[[LARGE, 0]]]],
  ["with the large frame first", [filled(7), filled(8, 1)], [
    [[LARGE, 7], [1, 8]],
  ]],
  ["with the large frame last", [filled(7, 1), filled(8)], [
    [[1, 7], [LARGE, 8]],
  ]],
  // Subscriptions are messages of one frame, and each is told of by itself.
  ["of several that subscribe", [filled(1), filled(0), filled(7, 1)], [
    [[LARGE, 1]],
    [[LARGE, 0]],
    [[1, 7]],
  ]],
];

for (const [what, message, expected] of MESSAGES) {
  test(`a message ${what}, large, is read by an XPublisher`, async () => {
    for (const Type of [Push, Dealer, Pair]) {
      for (const connectsFirst of [true, false]) {
        const context = new Context();
        const from = use(new Type({ context, linger: 0 }));
        const publisher = use(new XPublisher({ context, linger: 0 }));
        const address = anywhere("inproc");
        if (connectsFirst) from.connect(address);
        publisher.bindSync(address);
        if (!connectsFirst) from.connect(address);
        await within(from.send(message), "the send");
        for (const frames of expected) {
          const got = await within(publisher.receive(), `${Type.name} ${what}`);
          assert.equal(got.map((frame) => [frame.length, frame[0]]), frames);
          for (const frame of got) {
            assert.ok(frame.every((byte) => byte === frame[0]));
          }
        }
        from.close();
        publisher.close();
      }
    }
  });
}

test("a Publisher survives them, and publishes on", async () => {
  for (const Type of [Push, Dealer, Pair]) {
    const context = new Context();
    const from = use(new Type({ context, linger: 0 }));
    const publisher = use(new Publisher({ context, linger: 0 }));
    from.connect(await bound(publisher, "inproc"));
    for (const [, message] of MESSAGES) {
      await within(from.send(message), "the send");
    }
    await until(
      () => context.resources.bodies === 0,
      `what ${Type.name} sent is read`,
    );
    const subscriber = use(new Subscriber({ context }));
    subscriber.subscribe("x");
    subscriber.connect(publisher.lastEndpoint!);
    const received = next(subscriber);
    let over = false;
    void received.finally(() => over = true).catch(() => {});
    await until(() => over || publisher.send("x").then(() => over), "x");
    assert.equal(await received, ["x"]);
  }
});

test("0053: what two publishers got is passed on by each", async () => {
  const context = new Context(), options = { context, linger: 0 };
  const make = () => use(new XPublisher(options));
  const source = use(new XSubscriber(options));
  const relay = use(new XSubscriber(options));
  const [front, other, one, two] = [make(), make(), make(), make()];
  for (const publisher of [front, other]) {
    source.connect(await bound(publisher, "inproc"));
  }
  for (const publisher of [one, two]) {
    relay.connect(await bound(publisher, "inproc"));
  }
  const proxy = new Proxy(front, relay);
  const running = proxy.run();
  running.catch(() => {});
  const COUNT = 300, SIZE = 300; // too large for libzmq to copy
  const read = async (publisher: XPublisher) => {
    for (let i = 0; i < COUNT; i++) {
      const [frame] = await within(publisher.receive(), `message ${i}`);
      assert.is(frame!.length, SIZE);
      assert.ok(frame!.every((byte) => byte === 65 + i % 26), `message ${i}`);
    }
  };
  const reading = Promise.all([other, one, two].map(read));
  reading.catch(() => {});
  for (let i = 0; i < COUNT; i++) {
    await within(source.send(filled(65 + i % 26, SIZE)), "a send");
    // Each way between them gets its turn.
    if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
  }
  await reading;
  proxy.terminate();
  await within(running, "the proxy");
});

test.run();
