/** WebSockets with the native package, in both roles. */
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import { closeAll, next, stays, use, within } from "../socket/tools.ts";
import { checkLeaks } from "../support/leaks.ts";
import { NativePeer, nativeSuite } from "../support/native.ts";

const test = nativeSuite("ws with the native package");
let peer: NativePeer;
checkLeaks(test, async () => {
  closeAll();
  await peer.stop();
});
test.before(() => {
  peer = new NativePeer();
});
test.after.each(closeAll);

type Connectable = { connect(address: string): unknown };

/** Both roles: who binds is ours, who binds is native. */
async function meet(
  ours: zmq.Socket,
  native: Connectable & { bind(address: string): Promise<string> },
  oursBinds: boolean,
  path = "",
): Promise<void> {
  const address = `ws://127.0.0.1:*${path}`;
  if (oursBinds) {
    await ours.bind(address);
    await native.connect(ours.lastEndpoint!);
  } else ours.connect(await native.bind(address));
}

const SIZES = [0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 1_000_000];

for (const oursBinds of [true, false]) {
  const role = oursBinds ? "the server is ours" : "the client is ours";

  test(`frames of all sizes: ${role}`, async () => {
    const ours = use(new zmq.Dealer({ linger: 0 }));
    const native = await peer.socket("Dealer");
    await meet(ours, native, oursBinds);
    const frames = SIZES.map((size) => "x".repeat(size));
    const got = native.receive();
    await ours.send(frames);
    assert.equal(
      (await got).map((frame) => (frame as string).length),
      SIZES,
    );
    await native.send(frames);
    assert.equal((await next(ours)).map(({ length }) => length), SIZES);
    await native.close();
  });

  test(`many messages: ${role}`, async () => {
    const ours = use(new zmq.Pull());
    const native = await peer.socket("Push");
    await meet(ours, native, oursBinds);
    const count = 500;
    const sending = (async () => {
      for (let i = 0; i < count; i++) await native.send([`${i}`]);
    })();
    for (let i = 0; i < count; i++) assert.equal(await next(ours), [`${i}`]);
    await sending;
    await native.close();
  });

  test(`a path: ${role}`, async () => {
    const ours = use(new zmq.Reply());
    const native = await peer.socket("Request");
    await meet(ours, native, oursBinds, "/some");
    await native.send(["question"]);
    assert.equal(await next(ours), ["question"]);
    const got = native.receive();
    await ours.send("answer");
    assert.equal(await got, ["answer"]);
    await native.close();
  });

  test(`publish and subscribe: ${role}`, async () => {
    const ours = use(new zmq.XPublisher({ linger: 0 }));
    const native = await peer.socket("XSubscriber");
    const events = use(ours.events);
    await meet(ours, native, oursBinds);
    while ((await within(events.receive(), "a peer")).type !== "handshake");
    // A native subscriber without a publisher would lose this, and it may see us later.
    const subscribed = next(ours);
    let done = false;
    void subscribed.finally(() => done = true).catch(() => {});
    while (!done) {
      await native.send(["\x01topic"]);
      await stays(subscribed);
    }
    assert.equal(await subscribed, ["\x01topic"]);
    const got = native.receive();
    await ours.send("another");
    await ours.send("topic!");
    assert.equal(await got, ["topic!"]);
    await native.close();
  });

  test(`PLAIN: ${role}`, async () => {
    // Its own, because one that once had a ZAP handler refuses without it.
    const context = new zmq.Context();
    const client = { plainUsername: "user", plainPassword: "password" };
    const server = { plainServer: true };
    const ours = use(
      new zmq.Dealer({ context, linger: 0, ...(oursBinds ? server : client) }),
    );
    const native = await peer.socket("Dealer", oursBinds ? client : server);
    // A PLAIN server without a ZAP handler refuses everybody.
    const handler = "inproc://zeromq.zap.01";
    const ourZap = use(new zmq.Reply({ context }));
    const nativeZap = await peer.socket("Reply");
    await (oursBinds ? ourZap : nativeZap).bind(handler);
    await meet(ours, native, oursBinds);
    const request = oursBinds
      ? await next(ourZap)
      : await nativeZap.receive() as string[];
    assert.equal(request.slice(5), ["PLAIN", "user", "password"]);
    const answer = ["1.0", request[1]!, "200", "OK", "user", ""];
    await (oursBinds ? ourZap : nativeZap).send(answer);

    await native.send(["to us"]);
    assert.equal(await next(ours), ["to us"]);
    const got = native.receive();
    await ours.send("to them");
    assert.equal(await got, ["to them"]);
    await native.close();
    await nativeZap.close();
  });

  test(`CURVE: ${role}`, async () => {
    const keys = zmq.curveKeyPair(), other = zmq.curveKeyPair();
    const server = { curveServer: true, curveSecretKey: keys.secretKey };
    const client = {
      curveServerKey: keys.publicKey,
      curvePublicKey: other.publicKey,
      curveSecretKey: other.secretKey,
    };
    const ours = use(
      new zmq.Dealer({ linger: 0, ...(oursBinds ? server : client) }),
    );
    const native = await peer.socket("Dealer", oursBinds ? client : server);
    await meet(ours, native, oursBinds);
    await native.send(["to us", "x".repeat(70_000)]);
    assert.equal(
      (await next(ours)).map(({ length }) => length),
      [5, 70_000],
    );
    const got = native.receive();
    await ours.send("to them");
    assert.equal(await got, ["to them"]);
    await native.close();
  });

  test(`heartbeats: ${role}`, async () => {
    const heartbeats = { heartbeatInterval: 20, heartbeatTimeout: 20_000 };
    const ours = use(new zmq.Dealer({ linger: 0, ...heartbeats }));
    const native = await peer.socket("Dealer", heartbeats);
    await meet(ours, native, oursBinds);
    for (let i = 0; i < 5; i++) {
      await native.send([`${i}`]);
      assert.equal(await within(next(ours), "a message"), [`${i}`]);
      await new Promise<void>((resolve) => setTimeout(resolve, 25));
    }
    await native.close();
  });
}

test.run();
