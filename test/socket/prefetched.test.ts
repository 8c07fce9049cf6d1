/** Messages that were fetched ahead, and what happens to them before they are received. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { context, Publisher, Pull, Push, Subscriber } from "zeromq-wasm";
import { Dish, Radio } from "zeromq-wasm/draft";
import {
  bound,
  closeAll,
  freshPath,
  next,
  texts,
  thrown,
  until,
  use,
  within,
} from "./tools.ts";
import { dial, type Peer } from "../patches/hostile.ts";
import { frame } from "../patches/zmtp.ts";

const test = suite("prefetched");
let peer: Peer | undefined;
test.after.each(() => {
  peer?.close();
  peer = undefined;
  closeAll();
});

/** Sends until the first is received. */
async function meets(
  send: () => Promise<void>,
  receive: () => Promise<unknown>,
): Promise<void> {
  let ready = false;
  const waiting = receive().then(() => ready = true);
  await until(async () => {
    await send();
    return ready;
  }, "the first");
  await waiting;
}

/** A publisher and a subscriber to these, which stand. */
async function subscribed(...topics: string[]) {
  const pub = use(new Publisher({ sendHighWaterMark: 0 }));
  const sub = use(new Subscriber({ receiveHighWaterMark: 0 }));
  sub.subscribe(...topics, "ready");
  sub.connect(await bound(pub));
  await meets(() => pub.send("ready"), () => sub.receive());
  sub.unsubscribe("ready");
  return { pub, sub };
}

/** What comes until "end". */
async function rest(socket: Subscriber): Promise<string[]> {
  const all: string[] = [];
  for await (const [frame] of socket) {
    if (String(frame) === "end") return all;
    all.push(String(frame));
  }
  return all;
}

test("unsubscribe: those of the topic are not received any more", async () => {
  const { pub, sub } = await subscribed("a", "b", "ab", "end");
  for (let i = 0; i < 100; i++) {
    for (const topic of ["a", "b", "ab"]) await pub.send([topic, `${i}`]);
  }
  await pub.send("end");
  assert.equal(await next(sub), ["a", "0"]);
  sub.unsubscribe("a");
  const all = await within(rest(sub), "the rest");
  assert.is(all.filter((topic) => topic === "a").length, 0);
  // Another subscription matches these still.
  assert.is(all.filter((topic) => topic === "ab").length, 100);
  assert.is(all.filter((topic) => topic === "b").length, 100);
});

test("unsubscribe of one of two that are the same changes nothing", async () => {
  const { pub, sub } = await subscribed("a", "a", "end");
  for (const topic of ["a1", "a2", "end"]) await pub.send(topic);
  assert.equal(await next(sub), ["a1"]);
  sub.unsubscribe("a");
  assert.equal(await within(rest(sub), "the rest"), ["a2"]);
});

test("unsubscribe with inverted matching", async () => {
  const pub = use(new Publisher({ invertMatching: true }));
  const sub = use(new Subscriber({ invertMatching: true }));
  sub.subscribe("x", "y");
  sub.connect(await bound(pub));
  await meets(() => pub.send("ready"), () => sub.receive());
  for (const topic of ["z1", "z2", "end"]) await pub.send(topic);
  sub.unsubscribe("y");
  const all = (await within(rest(sub), "the rest"))
    .filter((text) => text !== "ready");
  assert.equal(all, ["z1", "z2"]);
});

test("leave: those of the group are not received any more", async () => {
  const radio = use(new Radio({ sendHighWaterMark: 0 }));
  const dish = use(new Dish({ receiveHighWaterMark: 0 }));
  dish.join("a", "b", "ready");
  const address = `inproc://prefetched-${freshPath()}`;
  await radio.bind(address);
  dish.connect(address);
  await meets(
    () => radio.send("x", { group: "ready" }),
    () => dish.receive(),
  );
  dish.leave("ready");
  for (let i = 0; i < 10; i++) {
    for (const group of ["a", "b"]) await radio.send(`${group}${i}`, { group });
  }
  await within(dish.receive(), "the first");
  assert.is(thrown(() => dish.leave("a", "never joined")).code, "EINVAL");
  for (let i = 0; i < 10; i++) {
    const [text, { group }] = await within(dish.receive(), "one of the other");
    assert.equal([`${text}`, `${group}`], [`b${i}`, "b"]);
  }
});

for (const transport of ["tcp", "inproc"] as const) {
  test(`leave before anything was received over ${transport}`, async () => {
    const radio = use(new Radio({ sendHighWaterMark: 0 }));
    const [dish, witness] = [1, 2].map(() => {
      const made = use(new Dish({ receiveHighWaterMark: 0 }));
      made.join("a", "b");
      return made;
    }) as [Dish, Dish];
    let address = `inproc://prefetched-${freshPath()}`;
    // Over inproc: who is there before is told of what it is connected to.
    if (transport === "inproc") dish.connect(address);
    await radio.bind(transport === "inproc" ? address : "tcp://127.0.0.1:*");
    address = radio.lastEndpoint!;
    if (transport === "tcp") dish.connect(address);
    witness.connect(address);
    const before = dish.counters.messagesReceived;
    await meets(() => radio.send("x", { group: "a" }), () => witness.receive());
    // What comes now has come to both.
    for (let i = 0; i < 3; i++) {
      await radio.send("x", { group: "a" });
      await within(witness.receive(), "a message");
    }
    dish.leave("a");
    await radio.send("y", { group: "b" });
    const [text, { group }] = await within(dish.receive(), "the other group");
    assert.equal([`${text}`, `${group}`], ["y", "b"]);
    assert.is(dish.counters.messagesReceived, before + 1);
  });
}

test("a stream that is cancelled at any moment takes none with it", async () => {
  const pull = use(new Pull({ receiveHighWaterMark: 0 }));
  const push = use(new Push({ sendHighWaterMark: 0 }));
  push.connect(await bound(pull));
  const MANY = 20_000;
  const sending = (async () => {
    for (let i = 0; i < MANY; i++) await push.send(`${i}`);
  })();
  let expected = 0;
  const take = (message: readonly Uint8Array[]) =>
    assert.equal(texts(message), [`${expected++}`]);
  for (let round = 0; expected < MANY; round++) {
    const reader = pull.readableStream().getReader();
    const timer = setTimeout(() => void reader.cancel(), 1);
    for (;;) {
      const { value, done } = await within(reader.read(), "a message");
      if (done) break;
      take(value);
      if (expected === MANY) break;
    }
    clearTimeout(timer);
    await reader.cancel();
    if (expected < MANY) take(await within(pull.receive(), "the next"));
  }
  await sending;
  assert.is(pull.counters.messagesReceived, MANY);
});

test("a frame that came over inproc is the program's alone", async () => {
  const pub = use(new Publisher({ sendHighWaterMark: 0 }));
  const near = use(new Subscriber({ receiveHighWaterMark: 0 }));
  const address = `inproc://prefetched-${freshPath()}`;
  await bound(pub);
  peer = await (await dial(pub)).handshake("SUB");
  await pub.bind(address);
  near.subscribe("");
  near.connect(address);
  await peer.send(frame("\x01"));
  await until(async () => {
    await pub.send("ready");
    return peer!.has(7);
  }, "the slow subscriber");
  peer.pause();
  await until(async () => texts(await near.receive())[0] === "ready", "both");
  const SIZE = 900_000, MESSAGES = 12;
  for (let i = 0; i < MESSAGES; i++) {
    await pub.send(new Uint8Array(SIZE).fill(65 + i));
    let message = await within(near.receive(), "a message");
    while (message[0]!.length !== SIZE) message = await near.receive();
    assert.ok(message[0]!.every((byte) => byte === 65 + i));
    message[0]!.fill(1);
    await new Promise((resolve) => setTimeout(resolve));
  }
  peer.resume();
  // What the test said before, and then the messages.
  let head = await peer.read(1);
  for (let i = 0; i < MESSAGES;) {
    if (head[0] === 0) {
      const [size] = await peer.read(1);
      await peer.read(size!);
    } else {
      assert.is(Number((await peer.read(8)).readBigUInt64BE()), SIZE);
      const body = await within(peer.read(SIZE), `message ${i}`);
      assert.ok(body.every((byte) => byte === 65 + i), `message ${i}`);
      i++;
    }
    if (i < MESSAGES) head = await peer.read(1);
  }
});

for (const queued of [1, 2, 3]) {
  test(`a receive right after the cancel takes the first of ${queued}`, async () => {
    const pull = use(new Pull()), push = use(new Push());
    push.connect(await bound(pull));
    const reader = pull.readableStream().getReader();
    for (let i = 1; i <= queued; i++) await push.send(`${i}`);
    await until(() => pull.readable, "a message");
    const reading = reader.read();
    void reader.cancel();
    for (let i = 1; i <= queued; i++) assert.equal(await next(pull), [`${i}`]);
    assert.is((await reading).done, true);
  });
}

test("unsubscribe looks at no more of a message than topics have", async () => {
  const { pub, sub } = await subscribed("a", "b");
  for (const topic of ["a", "b", "a"]) {
    const large = new Uint8Array(20_000_000);
    large[0] = topic.charCodeAt(0);
    await pub.send(large);
  }
  await until(() => sub.readable, "a message");
  const before = context.resources.memory;
  sub.unsubscribe("b");
  for (let i = 0; i < 2; i++) {
    const [body] = await within(sub.receive(), "one of the other topic");
    assert.is(body![0], 97);
  }
  assert.ok(context.resources.memory < before + 10_000_000);
});

test.run();
