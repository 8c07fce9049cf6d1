// deno: --unstable-net
/** What peers send and nobody reads fills no more than three quarters of the memory. */
import { Buffer } from "node:buffer";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  Pair,
  Publisher,
  Pull,
  Push,
  Router,
  Stream,
  XPublisher,
} from "zeromq-wasm";
import { Dish } from "zeromq-wasm/draft";
import { Cleanup, dial, type Peer, within } from "../patches/hostile.ts";
import {
  bytes,
  command,
  frame,
  greeting,
  greeting2,
  GREETING_SIZE,
  property,
  ready,
} from "../patches/zmtp.ts";
import { closeAll, pause, rejection, until, use } from "../socket/tools.ts";
import { datagram, RawPeer } from "../udp/tools.ts";

const LIMIT = 16 * 2 ** 20;
/** Longer than what libzmq copies: it keeps the buffer of its connection from being used again. */
const SMALL = "x".repeat(100);

const test = suite("memory");
let cleanup: Cleanup;
let context: Context;
test.before.each(() => {
  cleanup = new Cleanup();
  context = new Context({ memoryLimit: LIMIT });
});
test.after.each(() => {
  cleanup.close();
  closeAll();
});

/** A connection, if one is to be had; with a handshake unless it is raw. */
async function attempt(
  target: { lastEndpoint: string | null },
  type?: string,
): Promise<Peer | undefined> {
  const peer = cleanup.add(await dial(target));
  try {
    return type === undefined ? peer : await peer.handshake(type);
  } catch {
    // Cut off: there is no room.
    return undefined;
  }
}

/** Says small things on all of them, each time in a turn of its own. */
async function trickle(peers: Peer[], bytes: Uint8Array): Promise<void> {
  for (let i = 0; i < 250; i++) {
    for (const peer of peers) void peer.send(bytes);
    await pause(0);
  }
}

/** The context has survived, and what was taken can be had again. */
async function recovers(
  holder: { close(): void },
): Promise<void> {
  assert.ok(context.resources.heap < LIMIT * 0.8);
  cleanup.close();
  holder.close();
  const pull = use(new Pull({ context }));
  await pull.bind("tcp://127.0.0.1:*");
  const push = use(new Push({ context: new Context(), linger: 0 }));
  push.connect(pull.lastEndpoint!);
  const got = pull.receive();
  let done = false;
  void got.finally(() => done = true).catch(() => {});
  // What comes before all is released is refused, and lost.
  await until(async () => {
    if (!done) await push.send(new Uint8Array(2 ** 20));
    await pause(20);
    return done;
  }, "a message afterwards");
  assert.is((await got)[0]!.length, 2 ** 20);
}

test("small messages, between holes of what was announced", async () => {
  const pull = new Pull({ context, linger: 0 });
  await pull.bind("tcp://127.0.0.1:*");
  const gone: Peer[] = [];
  for (let i = 0; i < 60; i++) {
    const peer = await attempt(pull, "PUSH");
    if (!peer) break;
    const head = Buffer.alloc(9, 2);
    head.writeBigUInt64BE(BigInt(30_000 + i * 7919 % 500_000), 1);
    await peer.send(head, Buffer.alloc(100));
    if (i % 5 === 0) gone.push(peer);
  }
  for (const peer of gone) peer.close();
  await pause(20);
  const peers: Peer[] = [];
  for (let i = 0; i < 4; i++) {
    const peer = await attempt(pull, "PUSH");
    if (peer) peers.push(peer);
  }
  await trickle(peers, frame(SMALL));
  await recovers(pull);
});

test("small messages of ZMTP 1", async () => {
  const pull = new Pull({ context, linger: 0 });
  await pull.bind("tcp://127.0.0.1:*");
  const peers: Peer[] = [];
  for (let i = 0; i < 40; i++) {
    const peer = await attempt(pull);
    if (!peer) break;
    await peer.send(bytes([1, 0]));
    peers.push(peer);
  }
  const body = "x".repeat(250);
  const many = bytes(...Array(40).fill(bytes([251, 0], body)));
  await trickle(peers, many);
  await recovers(pull);
});

test("raw bytes", async () => {
  const stream = new Stream({ context, linger: 0 });
  await stream.bind("tcp://127.0.0.1:*");
  const peers: Peer[] = [];
  for (let i = 0; i < 4; i++) {
    const peer = await attempt(stream);
    if (peer) peers.push(peer);
  }
  await trickle(peers, bytes(SMALL));
  await recovers(stream);
});

test("datagrams", async () => {
  const raw = await RawPeer.open();
  const dish = new Dish({ context, linger: 0, receiveHighWaterMark: 10_000 });
  dish.join("g");
  await dish.bind("udp://127.0.0.1:*");
  const packet = datagram("g", new Uint8Array(8000));
  for (let i = 0; i < 4000; i++) {
    await raw.send(dish, packet);
    if (i % 20 === 0) await pause(0);
  }
  await recovers(dish);
});

/** A publisher that strangers subscribe to. */
async function publisher(Type: typeof Publisher | typeof XPublisher) {
  const socket = new Type({ context, linger: 0 });
  await socket.bind("tcp://127.0.0.1:*");
  return socket;
}

for (
  const [what, topic] of [
    ["a message", (text: string) => frame("\x01" + text)],
    ["a command", (text: string) => command("SUBSCRIBE", text)],
  ] as const
) {
  for (const Type of [Publisher, XPublisher]) {
    test(`a topic too long for the memory, as ${what}, to ${Type.name}`, async () => {
      const socket = await publisher(Type);
      for (const size of [2 ** 22, 2 ** 20, 2 ** 14 + 1]) {
        const peer = (await attempt(socket, "SUB"))!;
        void peer.send(topic("x".repeat(size)));
        await peer.ended();
      }
      // The longest goes, and is taken back.
      for (let i = 0; i < 3; i++) {
        const peer = (await attempt(socket, "SUB"))!;
        await peer.send(topic("y".repeat(2 ** 14)), topic("z"));
        await until(async () => {
          await socket.send("z");
          return peer.has(3);
        }, "the topic is there");
        peer.close();
      }
      await recovers(socket);
    });

    test(`topics that branch off everywhere, as ${what}, to ${Type.name}`, async () => {
      const socket = await publisher(Type);
      for (let round = 0; round < 3; round++) {
        const peer = await attempt(socket, "SUB");
        if (!peer && round > 0) break; // what an XPublisher has to tell of is still there
        const topics: Buffer[] = [];
        for (let i = 0; i < 40_000; i++) {
          const bits = i.toString(2).padStart(16, "0");
          topics.push(
            topic(bits.replaceAll("0", "\0").replaceAll("1", "\xff")),
          );
        }
        void peer!.send(...topics);
        await peer!.ended();
        await socket.send("x");
      }
      await recovers(socket);
    });
  }
}

/** What strangers say of themselves, in so many bytes: to which socket, and how. */
const WORDS: [string, (size: number) => Buffer[], boolean][] = [
  ["one property", (size) => [
    greeting(),
    command(
      "READY",
      property("Socket-Type", "DEALER"),
      property("X", "x".repeat(size)),
    ),
  ], true],
  ["small properties", (size) => [
    greeting(),
    command(
      "READY",
      property("Socket-Type", "DEALER"),
      Array.from(
        { length: size / 9 },
        (_, i) => `\x04${i.toString(36).padStart(4, "0")}\0\0\0\0`,
      ).join(""),
    ),
  ], true],
  ["a routing id", (size) => [
    greeting(),
    ready("DEALER", "x".repeat(size)),
  ], true],
  ["a routing id of ZMTP 2", (size) => [
    greeting2(5),
    frame("x".repeat(size)),
  ], false],
];

for (const [what, words, hasReady] of WORDS) {
  test(`${what} for which there is no room, in a handshake`, async () => {
    const router = new Router({ context, linger: 0 });
    await router.bind("tcp://127.0.0.1:*");
    for (const size of [2 ** 15 + 1, 2 ** 20, 2 ** 22, 2 ** 23]) {
      const peer = cleanup.add(await dial(router));
      void peer.send(...words(size));
      await peer.ended();
    }
    // As long as it may be; properties are known then.
    for (let i = 0; i < 5; i++) {
      const peer = cleanup.add(await dial(router));
      await peer.send(...words(32_000 - i));
      if (hasReady) {
        await peer.read(GREETING_SIZE);
        await peer.frame();
      }
      void peer.send(frame("hello"));
      const { frames, properties } = await within(
        router.receiveWithProperties(),
        "a message",
      );
      assert.is(String(frames[1]), "hello");
      if (hasReady) assert.is(properties["Peer-Address"], "127.0.0.1");
    }
    await recovers(router);
  });
}

test("a message of too many frames", async () => {
  const pull = new Pull({ context, linger: 0 });
  await pull.bind("tcp://127.0.0.1:*");
  const most = LIMIT / 2048;
  const part = frame("", true);
  const peer = (await attempt(pull, "PUSH"))!;
  await peer.send(...Array(most).fill(part), frame("end"));
  assert.is((await pull.receive()).length, most + 1);
  void peer.send(...Array(most + 1).fill(part), frame("end"));
  await peer.ended();
  await recovers(pull);
});

test("what the program needs beyond it is ENOMEM", async () => {
  const a = use(new Pair({ context, sendHighWaterMark: 0, linger: 0 }));
  const b = use(new Pair({ context, receiveHighWaterMark: 0, linger: 0 }));
  await a.bind("inproc://memory");
  b.connect("inproc://memory");
  const full = await rejection((async () => {
    for (;;) await a.send(new Uint8Array(4000));
  })());
  assert.is(full.code, "ENOMEM");
  const pull = use(new Pull({ context }));
  const error = await rejection((async () => {
    for (;;) {
      await pull.bind(`inproc://${"x".repeat(2000)}`);
      await pull.unbind(pull.lastEndpoint!);
      await a.send(new Uint8Array(100));
    }
  })());
  assert.is(error.code, "ENOMEM");
  assert.ok(error.errno > 0);
});

test("what finds no memory leaves no large frame behind", async () => {
  const small = new Context({ memoryLimit: 4 * 2 ** 20 });
  const push = use(
    new Push({ context: small, sendHighWaterMark: 0, linger: 0 }),
  );
  push.connect("tcp://127.0.0.1:1");
  const part = new Uint8Array(20_000);
  const fill = async () => {
    for (;;) await push.send(part);
  };
  assert.is((await rejection(fill())).code, "ENOMEM");
  const before = small.resources.bodies;
  const large = new Uint8Array(2 ** 20);
  for (let i = 0; i < 6; i++) {
    for (const frames of [[part, large], [large, part], [large, part, large]]) {
      assert.is((await rejection(push.send(frames))).code, "ENOMEM");
      assert.is(small.resources.bodies, before);
    }
  }
  push.close();
  await until(() => small.resources.sockets === 0, "the socket is gone");
  assert.is(small.resources.bodies, 0);
});

test.run();
