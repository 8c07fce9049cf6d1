/** What a connecting socket says and believes (patches 0034, 0035). */
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { Context, Dealer, Subscriber, XPublisher } from "zeromq-wasm";
import { Cleanup, Listener, setRaw, within } from "./hostile.ts";
import { bytes, frame, greeting, GREETING_SIZE, ready } from "./zmtp.ts";

const ZMQ_SOCKS_PROXY = 68;
const LARGE = 2, COMMAND = 4;
const test = suite("outgoing");

// The longest that fits with "SUBSCRIBE" into a short frame, and around it.
for (const size of [245, 246, 255, 256]) {
  test(`a subscription of ${size} bytes`, async () => {
    const cleanup = new Cleanup();
    try {
      const context = new Context({ blocky: false });
      const subscriber = cleanup.add(new Subscriber({ context }));
      const topic = "T".repeat(size);
      subscriber.subscribe(topic);
      const listener = cleanup.add(await Listener.start());
      subscriber.connect(`tcp://${listener.address}`);
      const peer = await listener.accept();
      await peer.send(greeting());
      await peer.read(GREETING_SIZE);
      await peer.send(ready("PUB"));
      await peer.frame();
      const flags = (await peer.read(1))[0]!;
      assert.is(flags, size > 245 ? COMMAND | LARGE : COMMAND);
      const length = flags & LARGE
        ? (await peer.read(8)).readUInt32BE(4)
        : (await peer.read(1))[0]!;
      assert.is(length, 10 + size);
      assert.is(String(await peer.read(length)), `\x09SUBSCRIBE${topic}`);
      await peer.send(frame(topic.slice(0, 200)), frame("not subscribed"));

      const honest = cleanup.add(new XPublisher({ linger: 0 }));
      await honest.bind("tcp://127.0.0.1:*");
      subscriber.connect(honest.lastEndpoint!);
      const asked = await within(honest.receive(), "subscription");
      assert.is(String(asked), `\x01${topic}`);
      await honest.send(`${topic}!`);
      assert.is(
        String(await within(subscriber.receive(), "message")),
        `${topic}!`,
      );
    } finally {
      cleanup.close();
    }
  });
}

test("a long subscription that is taken back keeps the connection in step", async () => {
  const cleanup = new Cleanup();
  try {
    const xpub = cleanup.add(new XPublisher({ linger: 0 }));
    await xpub.bind("tcp://127.0.0.1:*");
    const context = new Context({ blocky: false });
    const subscriber = cleanup.add(new Subscriber({ context }));
    subscriber.connect(xpub.lastEndpoint!);
    for (const size of [246, 249, 255]) {
      const topic = "T".repeat(size);
      subscriber.subscribe(topic);
      assert.is(String(await within(xpub.receive(), "1")), `\x01${topic}`);
      subscriber.unsubscribe(topic);
      assert.is(String(await within(xpub.receive(), "0")), `\0${topic}`);
    }
  } finally {
    cleanup.close();
  }
});

/** A SOCKS proxy answers with a bound name of `length` bytes. */
async function proxied(length: number, piece: number): Promise<void> {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const dealer = cleanup.add(new Dealer({ context, reconnectInterval: 1 }));
    const proxy = cleanup.add(await Listener.start());
    setRaw(dealer, ZMQ_SOCKS_PROXY, proxy.address);
    // Nobody is there: only the proxy is spoken to.
    dealer.connect("tcp://127.0.0.1:1");
    const peer = await proxy.accept();
    await peer.read(3);
    await peer.send(bytes([5, 0]));
    await peer.read(10);
    const answer = bytes([5, 0, 0, 3, length], Buffer.alloc(length + 2, 0x41));
    for (let at = 0; at < answer.length; at += piece) {
      await peer.send(answer.subarray(at, at + piece));
    }
    // Behind the answer, and not a byte earlier, begins the connection itself.
    await peer.send(greeting());
    assert.equal([...await peer.read(2)], [0xff, 0]);
    await peer.send(ready("DEALER"), frame("through the proxy"));
    assert.is(
      String(await within(dealer.receive(), "message")),
      "through the proxy",
    );
    setRaw(dealer, ZMQ_SOCKS_PROXY, null);
    const honest = cleanup.add(new Dealer({ linger: 0 }));
    await honest.bind("tcp://127.0.0.1:*");
    dealer.connect(honest.lastEndpoint!);
    await honest.send("honest");
    assert.is(String(await within(dealer.receive(), "honest")), "honest");
  } finally {
    cleanup.close();
  }
}

for (
  const [length, piece] of [[4, 1], [127, 300], [128, 300], [255, 100]] as const
) {
  test(`a SOCKS proxy answers with a name of ${length} bytes in pieces of ${piece}`, () =>
    proxied(length, piece));
}

test.run();
