/** Subscriptions and groups over WebSockets, with and without CURVE (patch 0040). */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import { dial } from "../patches/hostile.ts";
import { command, ready, upgrade, wsFrame } from "../patches/zmtp.ts";
import { closeAll, next, pause, use, within } from "../socket/tools.ts";
import { checkLeaks } from "../support/leaks.ts";
import { NativePeer, nativeSuite } from "../support/native.ts";

const keys = zmq.curveKeyPair(), other = zmq.curveKeyPair();
/** Options of who binds and of who connects. */
const SECURITY = {
  NULL: [{}, {}],
  CURVE: [{ curveServer: true, curveSecretKey: keys.secretKey }, {
    curveServerKey: keys.publicKey,
    curvePublicKey: other.publicKey,
    curveSecretKey: other.secretKey,
  }],
} as const;

type Side = {
  bind(address: string): Promise<unknown>;
  connect(address: string): unknown;
};

/** Sends again and again until it has arrived: there is no telling when a group is joined. */
async function arrives<T>(send: () => unknown, got: Promise<T>): Promise<T> {
  let done = false;
  void got.catch(() => {}).finally(() => done = true);
  const sending = (async () => {
    while (!done) {
      await send();
      await pause(5);
    }
  })();
  const result = await within(got, "a message");
  await within(sending, "the last send");
  return result;
}

/** Subscribes, gets what it subscribed to and nothing else, and unsubscribes. */
async function subscribes(
  publisher: zmq.XPublisher,
  subscriber: {
    subscribe(topic: string): unknown;
    unsubscribe(topic: string): unknown;
  },
  receive: () => Promise<unknown[]>,
): Promise<void> {
  const topic = "t".repeat(300);
  for (const name of ["topic", topic, ""]) {
    await subscriber.subscribe(name);
    // A native socket minds its connections only while it is asked for something.
    const got = receive();
    assert.equal(await next(publisher), [`\x01${name}`]);
    if (name !== "") await publisher.send("another");
    await publisher.send([`${name}!`, "rest"]);
    assert.equal(await within(got, "a message"), [`${name}!`, "rest"]);
    await subscriber.unsubscribe(name);
    assert.equal(await next(publisher), [`\0${name}`]);
  }
}

const test = suite("subscriptions over ws");
checkLeaks(test, closeAll);
test.after.each(closeAll);

for (const mechanism of ["NULL", "CURVE"] as const) {
  for (const outBinds of [true, false]) {
    const [binds, connects] = SECURITY[mechanism];
    const [out, into] = outBinds ? [binds, connects] : [connects, binds];
    const role = `${mechanism}, ${outBinds ? "out" : "in"} binds`;
    const meet = async (from: Side & zmq.Socket, to: Side & zmq.Socket) => {
      const [one, two] = outBinds ? [from, to] : [to, from];
      await one.bind("ws://127.0.0.1:*");
      two.connect(one.lastEndpoint!);
    };
    const inside = () => ({ context: new zmq.Context(), linger: 0 });

    test(`publish and subscribe: ${role}`, async () => {
      const publisher = use(new zmq.XPublisher({ linger: 0, ...out }));
      const subscriber = use(new zmq.Subscriber({ ...inside(), ...into }));
      await meet(publisher, subscriber);
      await subscribes(publisher, subscriber, () => next(subscriber));
    });

    test(`groups: ${role}`, async () => {
      const radio = use(new zmq.draft.Radio({ linger: 0, ...out }));
      const dish = use(new zmq.draft.Dish({ ...inside(), ...into }));
      await meet(radio, dish);
      for (const group of ["g", "x".repeat(255)]) {
        dish.join(group);
        const [body, about] = await arrives(async () => {
          await radio.send("another", { group: "other" });
          await radio.send("hello", { group });
        }, dish.receive());
        assert.is(String(body), "hello");
        assert.is(String(about.group), group);
        dish.leave(group);
      }
    });
  }
}

test("commands that are nearly subscriptions harm nobody", async () => {
  const publisher = use(new zmq.XPublisher({ linger: 0 }));
  await publisher.bind("ws://127.0.0.1:*");
  const peer = use(await dial(publisher));
  await peer.send(upgrade("ZWS2.0/NULL"));
  await peer.readTo("\r\n\r\n");
  // A command of ZMTP without its flags and size.
  const say = (body: Uint8Array) =>
    peer.send(wsFrame(2, Buffer.concat([Buffer.of(2), body])));
  await say(ready("SUB").subarray(2));
  for (const name of ["SUBSCRIB", "SUBSCRIBER", "CANCE", "C", ""]) {
    await say(command(name).subarray(2));
  }
  await say(Buffer.of());
  await say(Buffer.of(9));
  await say(Buffer.from("\x09SUBSCRIB"));
  await say(command("CANCEL", "never").subarray(2));
  await say(command("SUBSCRIBE").subarray(2));
  await say(command("SUBSCRIBE", "topic").subarray(2));
  await say(command("CANCEL", "topic").subarray(2));
  assert.equal(await next(publisher), ["\0never"]);
  assert.equal(await next(publisher), ["\x01"]);
  assert.equal(await next(publisher), ["\x01topic"]);
  assert.equal(await next(publisher), ["\0topic"]);
});

test.run();

const withNative = nativeSuite("subscriptions over ws with the native package");
let peer: NativePeer;
withNative.before(() => {
  peer = new NativePeer();
});
withNative.after(() => peer.stop());
withNative.after.each(closeAll);

for (const mechanism of ["NULL", "CURVE"] as const) {
  for (const oursBinds of [true, false]) {
    const [binds, connects] = SECURITY[mechanism];
    const [ours, native] = oursBinds ? [binds, connects] : [connects, binds];
    const role = `${mechanism}, ${oursBinds ? "ours" : "native"} binds`;
    const meet = async (
      socket: zmq.Socket,
      theirs: Awaited<ReturnType<NativePeer["socket"]>>,
    ) => {
      if (oursBinds) {
        await socket.bind("ws://127.0.0.1:*");
        await theirs.connect(socket.lastEndpoint!);
      } else socket.connect(await theirs.bind("ws://127.0.0.1:*"));
    };

    withNative(`a native subscriber: ${role}`, async () => {
      const publisher = use(new zmq.XPublisher({ linger: 0, ...ours }));
      const subscriber = await peer.socket("Subscriber", native);
      await meet(publisher, subscriber);
      await subscribes(publisher, subscriber, () => subscriber.receive());
      await subscriber.close();
    });

    withNative(`a native publisher: ${role}`, async () => {
      const subscriber = use(new zmq.Subscriber({ ...ours, linger: 0 }));
      const publisher = await peer.socket("Publisher", native);
      await meet(subscriber, publisher);
      subscriber.subscribe("topic");
      const got = await arrives(async () => {
        await publisher.send(["another"]);
        await publisher.send(["topic!"]);
      }, next(subscriber));
      assert.equal(got, ["topic!"]);
      await publisher.close();
    });

    withNative(`a native dish: ${role}`, async () => {
      const radio = use(new zmq.draft.Radio({ linger: 0, ...ours }));
      const dish = await peer.socket("Dish", native);
      await dish.join("g");
      await meet(radio, dish);
      const got = await arrives(
        () => radio.send("hello", { group: "g" }),
        dish.receive(),
      );
      assert.equal(got, ["hello", { group: "g" }]);
      await dish.close();
    });

    withNative(`a native radio: ${role}`, async () => {
      const dish = use(new zmq.draft.Dish({ linger: 0, ...ours }));
      const radio = await peer.socket("Radio", native);
      dish.join("g");
      await meet(dish, radio);
      const [body] = await arrives(
        () => radio.send(["hello"], { group: "g" }),
        dish.receive(),
      );
      assert.is(String(body), "hello");
      await radio.close();
    });
  }
}

withNative.run();
