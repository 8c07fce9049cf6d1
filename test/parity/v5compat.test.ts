/** zeromq-wasm/v5-compat: version 5's callbacks and events, side by side with the native package's. */
import { once } from "node:events";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm/v5-compat";
import { anywhere, freePort, pause, until, within } from "../socket/tools.ts";
import { outcome } from "./module.ts";

const test = suite("v5-compat");

const open: zmq.Socket[] = [];
function make(type: zmq.SocketType, options: object = {}): zmq.Socket {
  const socket = zmq.socket(type, { linger: 0, ...options });
  open.push(socket);
  return socket;
}
test.after.each(() => {
  for (const socket of open.splice(0)) socket.close();
});

/** Binds somewhere and says where. */
function bound(socket: zmq.Socket, address = anywhere("tcp")): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.bind(address, (error?: Error) => {
      if (error) reject(error);
      else resolve(socket.last_endpoint as string);
    });
  });
}

/** The frames of the next message, as text. */
async function next(socket: zmq.Socket): Promise<string[]> {
  return (await within(once(socket, "message"), "a message")).map(String);
}

/** Everything received from now on, a string for each message. */
function gather(socket: zmq.Socket): string[] {
  const all: string[] = [];
  socket.on("message", (...frames) => void all.push(frames.join("|")));
  return all;
}

test("questions and answers", async () => {
  const server = make("rep"), client = make("req");
  server.on("message", (question) => void server.send(`${question}!`));
  client.connect(await bound(server));
  const answers = gather(client);
  client.send("one").send("two").send(["three"]);
  await until(() => answers.length === 3, "the answers");
  assert.equal(answers, ["one!", "two!", "three!"]);
});

test("frames come as buffers, one argument each", async () => {
  const push = make("push"), pull = make("pull");
  push.connect(await bound(pull));
  const message = once(pull, "message");
  push.send(["a", Buffer.from("b"), ""]);
  const frames = await within(message, "a message");
  assert.ok(frames.every((frame) => Buffer.isBuffer(frame)));
  assert.equal(frames.map(String), ["a", "b", ""]);
});

test("ZMQ_SNDMORE puts a message together, and its callback is called once", async () => {
  const push = make("push"), pull = make("pull");
  push.connect(await bound(pull));
  const received = next(pull);
  const error = await within(
    new Promise((resolve) => {
      push.send("a", zmq.ZMQ_SNDMORE).send(["b", "c"], zmq.ZMQ_SNDMORE)
        .send("d", null, resolve);
    }),
    "the callback",
  );
  assert.is(error, undefined);
  assert.equal(await received, ["a", "b", "c", "d"]);
});

test("what cannot be sent yet is queued", async () => {
  const push = make("push"), pull = make("pull");
  const received = gather(pull);
  for (let i = 0; i < 5; i++) push.send(`${i}`);
  push.connect(await bound(pull));
  await until(() => received.length === 5, "the messages");
  assert.equal(received, ["0", "1", "2", "3", "4"]);
});

test("pause and resume", async () => {
  const push = make("push"), pull = make("pull");
  push.connect(await bound(pull));
  const received = gather(pull);
  push.send("1");
  await until(() => received.length === 1, "the first");
  pull.pause();
  push.pause();
  push.send("2");
  push.resume();
  push.send("3");
  await pause(30);
  assert.equal(received, ["1"]);
  pull.resume();
  push.send("4");
  await until(() => received.length === 4, "the rest");
  assert.equal(received, ["1", "2", "3", "4"]);
});

test("publishers and subscribers", async () => {
  const publisher = make("xpub"), subscriber = make("sub");
  subscriber.subscribe("a").subscribe("b").unsubscribe("b");
  const subscription = next(publisher);
  subscriber.connect(await bound(publisher));
  assert.equal(await subscription, ["\x01a"]);
  const received = gather(subscriber);
  publisher.send("b no");
  publisher.send("a yes");
  await until(() => received.length > 0, "the message");
  assert.equal(received, ["a yes"]);
  assert.throws(() => publisher.subscribe("x"), /Subscriber socket required/);
});

test("bind and unbind tell by callback and event", async () => {
  const socket = make("dealer");
  const told = once(socket, "bind");
  const address = await bound(socket);
  assert.match((await told)[0], /^tcp:/);
  const gone = once(socket, "unbind");
  await within(
    new Promise<void>((resolve) => socket.unbind(address, () => resolve())),
    "unbind",
  );
  assert.equal(await gone, [address]);
  const error = await new Promise<Error & { code?: string } | undefined>(
    (resolve) => socket.bind("tcp://127.0.0.1:nonsense", resolve),
  );
  assert.is(error?.code, "EINVAL");
  const failed = once(socket, "error");
  socket.bind("nonsense");
  assert.is((await failed)[0].code, "EINVAL");
});

test("bindSync and connect", async () => {
  const pull = make("pull"), push = make("push");
  pull.bindSync("tcp://127.0.0.1:*");
  push.connect(pull.last_endpoint as string);
  const received = next(pull);
  push.send("x");
  assert.equal(await received, ["x"]);
});

test("options by number, by name and as properties", async () => {
  const socket = make("router", { identity: "me" });
  assert.is(socket.identity, "me");
  assert.is(socket.getsockopt("identity"), "me");
  socket.setsockopt(zmq.ZMQ_SNDHWM, 5).setsockopt("backlog", 7);
  assert.is(socket.getsockopt(zmq.ZMQ_SNDHWM), 5);
  assert.is(socket.backlog, 7);
  socket.setsockopt(zmq.ZMQ_IPV6, 1);
  assert.is(socket.getsockopt(zmq.ZMQ_IPV6), 1);
  assert.is(socket.getsockopt(zmq.ZMQ_IPV4ONLY), false);
  socket.plain_server = 1;
  assert.is(socket.mechanism, 1);
  assert.is(socket.getsockopt(zmq.ZMQ_TYPE), zmq.ZMQ_ROUTER);
  assert.is(socket.getsockopt(zmq.ZMQ_EVENTS), zmq.ZMQ_POLLOUT);
  for (
    const [wrong, says] of [
      [() => socket.getsockopt(zmq.ZMQ_FD), /not supported/],
      [() => socket.setsockopt(zmq.ZMQ_ROUTER_RAW, 1), /not supported/],
      [() => socket.getsockopt(9999), /Unknown option/],
      [() => socket.setsockopt(9999, 1), /Unknown option/],
      [() => socket.read(), /removed/],
      [() => zmq.socket("nonsense" as zmq.SocketType), /Invalid socket type/],
      [() => new zmq.Context(), /cannot be instantiated/],
    ] as const
  ) assert.match(await outcome(wrong, true), says);
});

test("monitor tells of connections", async () => {
  const server = make("rep"), client = make("req");
  const told: string[] = [];
  const names = ["listen", "accept", "connect_delay", "connect", "close"];
  for (const [who, socket] of [["s", server], ["c", client]] as const) {
    for (const name of names) {
      socket.on(name, (_value: number, address: string) => {
        told.push(`${who} ${name} ${address.slice(0, 6)}`);
      });
    }
    socket.monitor();
  }
  client.connect(await bound(server));
  await until(() => told.length === 4, "the events");
  assert.equal(told.sort(), [
    "c connect tcp://",
    "c connect_delay tcp://",
    "s accept tcp://",
    "s listen tcp://",
  ]);
  const retry = once(client, "connect_retry");
  client.connect(`tcp://127.0.0.1:${await freePort()}`);
  const [interval, address] = await within(retry, "the retry");
  assert.type(interval, "number");
  assert.match(address, /^tcp:/);
});

test("proxy", async () => {
  const front = make("router"), back = make("dealer");
  zmq.proxy(front, back);
  const client = make("req"), server = make("rep");
  client.connect(await bound(front));
  server.connect(await bound(back));
  server.on("message", (question) => void server.send(`${question}!`));
  const answer = next(client);
  client.send("x");
  assert.equal(await answer, ["x!"]);
  assert.throws(() => zmq.proxy(back, front), /order is not supported/);
});

test("close", async () => {
  const socket = make("dealer");
  assert.is(socket.closed, false);
  assert.is(socket.close(), socket);
  assert.is(socket.closed, true);
  // Nothing is told of what could not be sent or received.
  await pause(10);
});

test("the rest", () => {
  const max = zmq.Context.getMaxSockets();
  zmq.Context.setMaxSockets(max);
  assert.is(zmq.Context.getMaxThreads(), 1);
  assert.is(zmq.curveKeypair().public.length, 40);
  assert.match(zmq.version, /^4\./);
  assert.is(zmq.socket, zmq.createSocket);
  assert.is(zmq.options.linger, zmq.ZMQ_LINGER);
  assert.is(zmq.STATE_CLOSED, 2);
});

test("a listener keeps its socket", async () => {
  const push = make("push");
  const address = await bound(push);
  const received = new Promise<string>((resolve) => {
    const pull = zmq.socket("pull");
    pull.connect(address);
    pull.on("message", (frame) => {
      resolve(String(frame));
      pull.close();
    });
  });
  (globalThis as { gc?: () => void }).gc?.();
  push.send("x");
  assert.is(await within(received, "the message"), "x");
});

test.run();
