/**
 * Large frames lie outside of the module, where libzmq cannot look at their bytes: every way
 * that one can go, between every pair of socket types and where bytes are looked at after all.
 */
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  context,
  curveKeyPair,
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
import {
  Client,
  Dish,
  Gather,
  Radio,
  Scatter,
  Server,
} from "zeromq-wasm/draft";
import { Authenticator } from "zeromq-wasm/auth";
import { checkLeaks } from "../support/leaks.ts";
import {
  anywhere,
  bound,
  closeAll,
  rejection,
  until,
  use,
  within,
} from "../socket/tools.ts";
import { command, frame, greeting, GREETING_SIZE } from "../patches/zmtp.ts";
import { dial } from "../patches/hostile.ts";

const test = suite("large frames");
checkLeaks(test);
test.after.each(closeAll);

const KB = 1024, MB = 1024 * KB;
/** Sanitizers are to see all memory: nothing lies outside then, and the same has to work. */
const outside = !process.env["ZMQ_SANITIZED"];
/** Around the smallest that lies outside, the size of batches, and of what one write takes. */
const SIZES = [32 * KB - 1, 32 * KB, 64 * KB, 64 * KB + 1, MB - 9, MB, 3 * MB];

/** Bytes of which no two places look the same. */
function body(size: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let i = 0; i < words.length; i++) {
    words[i] = Math.imul(i + seed, 2654435761) >>> 1;
  }
  // No subscription either: those begin with 0 or 1.
  const bytes = Buffer.from(words.buffer, 0, size);
  bytes[0] = 77;
  return bytes;
}

type Frames = readonly (Uint8Array | string)[];

async function arrives(
  from: { receive(): Promise<unknown[]> },
  expected: Frames,
  what: string,
): Promise<Uint8Array[]> {
  const got = await within(from.receive(), what) as Uint8Array[];
  const frames = got.filter((it) => it instanceof Uint8Array);
  assert.equal(frames.map((it) => it.length), expected.map((it) => it.length));
  expected.forEach((it, i) =>
    assert.is(Buffer.compare(Buffer.from(it as string), frames[i]!), 0, what)
  );
  return frames;
}

for (const transport of ["tcp", "ipc", "inproc", "ws"] as const) {
  const somewhere = () =>
    transport === "ws" ? "ws://127.0.0.1:*" : anywhere(transport);
  const meet = async <A extends Socket, B extends Socket>(a: A, b: B) => {
    await use(a).bind(somewhere());
    use(b).connect(a.lastEndpoint!);
    return [a, b] as const;
  };

  test(`${transport}: every size, alone and among others, both ways`, async () => {
    const [one, two] = await meet(new Pair(), new Pair());
    for (const size of SIZES) {
      const message = body(size);
      for (const frames of [[message], ["a", message, "b", message, message]]) {
        for (const [from, to] of [[one, two], [two, one]] as const) {
          await from.send(frames);
          await arrives(to, frames, `${size} bytes`);
        }
      }
    }
  });

  test(`${transport}: requests, replies and routes`, async () => {
    const large = body(200 * KB);
    const [reply, request] = await meet(new Reply(), new Request());
    await request.send(large);
    await reply.send(await arrives(reply, [large], "the request"));
    await arrives(request, [large], "the reply");

    const [router, dealer] = await meet(new Router(), new Dealer());
    await dealer.send(["x", large]);
    const [id, ...rest] = await within(router.receive(), "at the router");
    await router.send([id!, ...rest]);
    await arrives(dealer, ["x", large], "back at the dealer");
  });

  test(`${transport}: a large frame as a routing id is nobody's`, async () => {
    const [router, dealer] = await meet(
      new Router({ mandatory: true }),
      new Dealer({ routingId: "d" }),
    );
    await dealer.send("here");
    await within(router.receive(), "the dealer");
    const error = await rejection(router.send([body(64 * KB), "x"]));
    assert.is(error.code, "EHOSTUNREACH");
    router.mandatory = false;
    await router.send([body(64 * KB), body(64 * KB)]);
    await router.send(["d", "still works"]);
    await arrives(dealer, ["still works"], "the message behind it");
  });

  test(`${transport}: what is published is matched by its topic`, async () => {
    // So that each has its copies of what comes.
    const [publisher, first] = await meet(
      new XPublisher(),
      new Subscriber(),
    );
    const second = use(new XSubscriber());
    second.connect(publisher.lastEndpoint!);
    const long = "t".repeat(300);
    first.subscribe("b", long);
    await second.send("\x01b");
    // What two subscribe to is told once.
    for (let i = 0; i < 2; i++) await within(publisher.receive(), "a topic");
    await second.send("\x01x");
    await within(publisher.receive(), "the last topic");
    const of = (topic: string) => {
      const bytes = body(100 * KB);
      bytes.write(topic, "latin1");
      return bytes;
    };
    for (const topic of ["a", "b", "tt", long, "bb"]) {
      await publisher.send(of(topic));
    }
    await publisher.send(["b", of("a")]);
    for (const topic of ["b", long, "bb"]) {
      await arrives(first, [of(topic)], `to a Subscriber: ${topic}`);
    }
    await arrives(first, ["b", of("a")], "the frames");
    for (const topic of ["b", "bb"]) {
      await arrives(second, [of(topic)], `to an XSubscriber: ${topic}`);
    }
    await arrives(second, ["b", of("a")], "the frames");
  });

  test(`${transport}: an XPublisher receives large messages, and topics`, async () => {
    const [publisher, subscriber] = await meet(
      new XPublisher(),
      new XSubscriber(),
    );
    const large = body(100 * KB);
    await subscriber.send(large);
    await arrives(publisher, [large], "a message of a subscriber");
    const topic = Buffer.concat([Buffer.from([1]), large]);
    await subscriber.send(topic);
    await arrives(publisher, [topic], "a large topic");
    await publisher.send(large);
    await publisher.send(body(100 * KB, 2));
    await publisher.send(Buffer.concat([large, large]));
    await arrives(subscriber, [large], "what matches exactly");
    await arrives(
      subscriber,
      [Buffer.concat([large, large])],
      "what is longer",
    );
  });

  test(`${transport}: through a proxy`, async () => {
    const front = use(new Router({ linger: 0 }));
    const back = use(new Dealer({ linger: 0 }));
    await front.bind(somewhere());
    await back.bind(anywhere("inproc"));
    const proxy = new Proxy(front, back);
    const run = proxy.run();
    const dealer = use(new Dealer({ linger: 0 }));
    dealer.connect(front.lastEndpoint!);
    const reply = use(new Reply({ linger: 0 }));
    reply.connect(back.lastEndpoint!);
    const large = body(300 * KB);
    // From a peer, this would be a routing id.
    await dealer.send([large, "no envelope"]);
    await dealer.send(["", large]);
    await reply.send(await arrives(reply, [large], "behind the proxy"));
    await arrives(dealer, ["", large], "before the proxy");
    proxy.terminate();
    await within(run, "the proxy's end");
  });

  test(`${transport}: a buffer is the program's again when send returns`, async () => {
    const [pull, push] = await meet(new Pull(), new Push());
    const shared = body(256 * KB);
    const expected: Buffer[] = [];
    for (let i = 0; i < 40; i++) {
      shared.fill(i);
      expected.push(Buffer.from(shared));
      void push.send(shared);
      shared.fill(255);
    }
    const received: Uint8Array[] = [];
    for (const bytes of expected) {
      received.push(...await arrives(pull, [bytes], "as it was"));
    }
    // And what was received is nobody else's.
    received.forEach((it, i) => assert.ok(it.every((byte) => byte === i)));
    for (const it of received) it.fill(200);
    // Also for who waits already.
    const waiting = pull.receive();
    await push.send(shared.fill(99));
    shared.fill(255);
    const [last] = await within(waiting, "one more");
    assert.ok(last!.every((byte) => byte === 99));
    assert.ok(received.every((it) => it.every((byte) => byte === 200)));
  });
}

test("one message to several inproc subscribers is memory of its own for each", async () => {
  const publisher = use(new Publisher());
  const address = await bound(publisher, "inproc");
  const subscribers = [1, 2, 3].map(() => use(new Subscriber()));
  for (const it of subscribers) {
    it.subscribe();
    it.connect(address);
  }
  const large = body(128 * KB);
  await publisher.send(large);
  for (const it of subscribers) {
    const [frame] = await arrives(it, [large], "a copy");
    frame!.fill(0);
  }
});

test("with PLAIN and with CURVE", async () => {
  const keys = [curveKeyPair(), curveKeyPair()] as const;
  const zap = new Authenticator();
  zap.configurePlain({ passwords: { u: "p" } });
  await zap.configureCurve({ keys: [keys[1].publicKey] });
  await zap.start();
  const secure = [
    [{ plainServer: true }, { plainUsername: "u", plainPassword: "p" }],
    [{ curveServer: true, curveSecretKey: keys[0].secretKey }, {
      curveServerKey: keys[0].publicKey,
      curvePublicKey: keys[1].publicKey,
      curveSecretKey: keys[1].secretKey,
    }],
  ];
  for (const [ours, theirs] of secure) {
    const one = use(new Pair(ours));
    const two = use(new Pair(theirs));
    two.connect(await bound(one));
    for (const size of SIZES) {
      const frames = [body(size), "x", body(size, 5)];
      await within(one.send(frames), "a handshake");
      await two.send(await arrives(two, frames, `${size} bytes`));
      await arrives(one, frames, `${size} bytes back`);
    }
  }
  await zap.stop();
});

test("draft sockets", async () => {
  const large = body(150 * KB);
  const server = use(new Server());
  const client = use(new Client());
  client.connect(await bound(server));
  await client.send(large);
  const [request, { routingId }] = await within(server.receive(), "a request");
  assert.is(Buffer.compare(request, large), 0);
  await server.send(request, { routingId: routingId! });
  await arrives(client, [large], "the answer");

  const gather = use(new Gather());
  const scatter = use(new Scatter());
  scatter.connect(await bound(gather));
  await scatter.send(large);
  await arrives(gather, [large], "at the Gather");

  const dish = use(new Dish());
  const radio = use(new Radio());
  dish.join("g");
  dish.connect(await bound(radio));
  const heard = dish.receive();
  let done = false;
  void heard.then(() => done = true);
  // Until the join is known there.
  await until(async () => {
    await radio.send(large, { group: "g" });
    return done;
  }, "the group's message");
  assert.is(Buffer.compare((await heard)[0], large), 0);
});

test("to and from raw connections", async () => {
  const server = use(new Stream());
  await server.bind("tcp://127.0.0.1:*");
  const peer = await dial(server);
  const [id] = await within(server.receive(), "the connection");
  const large = body(200 * KB);
  await server.send([id!, large]);
  assert.is(Buffer.compare(await peer.read(large.length), large), 0);
  assert.is(
    (await rejection(server.send([large, large]))).code,
    "EHOSTUNREACH",
  );
  await peer.send(large);
  const parts: Uint8Array[] = [];
  for (let size = 0; size < large.length;) {
    const [, part] = await within(server.receive(), "bytes");
    parts.push(part!);
    size += part!.length;
  }
  assert.is(Buffer.compare(Buffer.concat(parts), large), 0);
  peer.close();
});

test("a handshake and its commands are looked at, however large they are", async () => {
  const router = use(new Router());
  await router.bind("tcp://127.0.0.1:*");
  const large = body(100 * KB);
  const dealer = use(new Dealer());
  dealer.connect(router.lastEndpoint!);
  const works = async () => {
    await dealer.send(["honest", large]);
    // A router also gets what strangers subscribe to.
    for (let name = ""; name !== "honest";) {
      const [, first, got] = await within(router.receive(), "a message");
      name = String(first);
      if (got) assert.is(Buffer.compare(got, large), 0);
    }
  };
  await works();
  for (const bytes of [frame(large), command("READY", large)]) {
    const peer = await dial(router);
    await peer.send(greeting());
    await peer.read(GREETING_SIZE);
    await peer.send(bytes);
    await peer.ended();
    await works();
  }
  for (const name of ["PING", "SUBSCRIBE", "CANCEL", "NEWS"]) {
    const peer = await (await dial(router)).handshake("DEALER");
    await peer.send(command(name, large));
    await works();
    peer.close();
  }
});

test("a connection that ends amid a large frame leaves nothing", async () => {
  const pull = use(new Pull());
  await pull.bind("tcp://127.0.0.1:*");
  const large = body(4 * MB);
  const peer = await dial(pull);
  await peer.handshake("PUSH");
  await peer.send(frame(large).subarray(0, 2 * MB));
  const announced = outside ? large.length : 0;
  await until(() => context.resources.bodies === announced, "a body");
  peer.close();
  await until(() => context.resources.bodies === 0, "nothing");
  const push = use(new Push());
  push.connect(pull.lastEndpoint!);
  await push.send(large);
  await arrives(pull, [large], "a whole one");
});

test("messages for slow readers do not pile up while they are read", async () => {
  const own = new Context();
  const pull = use(new Pull());
  const push = use(new Push({ context: own }));
  push.connect(await bound(pull));
  const large = body(MB);
  let most = 0;
  const received = (async () => {
    for (let i = 0; i < 200; i++) await pull.receive();
  })();
  for (let i = 0; i < 200; i++) {
    await push.send(large);
    most = Math.max(most, own.resources.bodies);
  }
  await within(received, "all of them");
  assert.ok(most < 100 * MB, `${most / MB} MB were waiting`);
});

test("but they queue, up to the high-water mark, for who does not read", async () => {
  const own = new Context();
  const peer = use(new Pull({ receiveHighWaterMark: 1 }));
  const push = use(
    new Push({ context: own, linger: 0, sendHighWaterMark: 50 }),
  );
  push.connect(await bound(peer));
  const large = body(MB);
  for (let i = 0; i < 50; i++) await within(push.send(large), `message ${i}`);
  assert.is(own.resources.bodies > 20 * MB, outside);
  for (let i = 0; i < 50; i++) await arrives(peer, [large], `message ${i}`);
});

test.run();
