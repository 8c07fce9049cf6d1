/** What sockets have besides the native package's methods. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  Dealer,
  Pull,
  Push,
  Reply,
  Request,
  XPublisher,
  XSubscriber,
} from "zeromq-wasm";
import { Dish, Radio } from "zeromq-wasm/draft";
import {
  anywhere,
  bound,
  checkError,
  closeAll,
  next,
  rejection,
  stays,
  texts,
  thrown,
  TRANSPORTS,
  until,
  use,
  within,
} from "./tools.ts";

const test = suite("helpers");
test.after.each(closeAll);

async function pipe(options: { sendHighWaterMark?: number } = {}) {
  const pull = use(new Pull());
  const push = use(new Push({ linger: 0, ...options }));
  push.connect(await bound(pull, "inproc"));
  return { push, pull };
}

// --- text and JSON

test("receiveText gives each frame as text", async () => {
  const { push, pull } = await pipe();
  await push.send(["grüße", "", "🙂", new Uint8Array([0xff])]);
  assert.equal(await within(pull.receiveText(), "text"), [
    "grüße",
    "",
    "🙂",
    "\ufffd",
  ]);
});

test("sendJSON and receiveJSON carry what JSON can", async () => {
  const { push, pull } = await pipe();
  const values = [null, 0, "x", [], { a: { b: [1, "🙂", null] } }];
  for (const value of values) {
    await push.sendJSON(value);
    assert.equal(await within(pull.receiveJSON(), "JSON"), value);
  }
  for (const value of [undefined, () => {}]) {
    assert.instance(thrown(() => push.sendJSON(value)), TypeError);
  }
  assert.instance(thrown(() => push.sendJSON(1n)), TypeError);
});

test("receiveJSON reads the last frame, and says when it is none", async () => {
  const { push, pull } = await pipe();
  await push.send(["topic", "[1]"]);
  assert.equal(await within(pull.receiveJSON(), "JSON"), [1]);
  await push.send("{");
  assert.instance(await rejection(pull.receiveJSON()), SyntaxError);
  await push.send("[2]");
  assert.equal(await within(pull.receiveJSON(), "JSON"), [2]);
});

// --- batches

test("sendMany takes arrays and generators, of either kind", async () => {
  const { push, pull } = await pipe();
  const expected = [["a"], ["b", "c"], ["d"]];
  await push.sendMany(["a", ["b", "c"], "d"]);
  for (const message of expected) assert.equal(await next(pull), message);
  await push.sendMany((function* () {
    yield* ["a", ["b", "c"], "d"];
  })());
  for (const message of expected) assert.equal(await next(pull), message);
  await push.sendMany((async function* () {
    yield "a";
    await Promise.resolve();
    yield ["b", "c"];
    yield "d";
  })());
  for (const message of expected) assert.equal(await next(pull), message);
});

test("sendMany waits for room", async () => {
  const { push, pull } = await pipe({ sendHighWaterMark: 1 });
  const messages = Array.from({ length: 5000 }, (_, i) => String(i));
  const sending = push.sendMany(messages);
  const got: string[] = [];
  while (got.length < messages.length) {
    for (const message of await within(pull.receiveMany(), "messages")) {
      got.push(...texts(message));
    }
  }
  await within(sending, "the end");
  assert.equal(got, messages);
});

test("receiveMany gives what is there, at most so many, and waits for one", async () => {
  const { push, pull } = await pipe();
  const waiting = pull.receiveMany();
  assert.ok(await stays(waiting, 20));
  await push.send("first");
  assert.equal((await within(waiting, "the first")).map(texts), [["first"]]);
  const messages = Array.from({ length: 900 }, (_, i) => [String(i), "more"]);
  await push.sendMany(messages);
  const few = await pull.receiveMany({ max: 7 });
  assert.equal(few.map(texts), messages.slice(0, 7));
  const half = await pull.receiveMany({ max: 2.9 });
  assert.equal(half.map(texts), messages.slice(7, 9));
  assert.equal(await next(pull), messages[9]);
  const rest = await pull.receiveMany();
  assert.equal(rest.map(texts), messages.slice(10));
  await push.sendMany(messages);
  const most = await pull.receiveMany({ max: Infinity });
  assert.equal(most.map(texts), messages);
  for (const max of [0, -1, NaN]) {
    assert.instance(thrown(() => pull.receiveMany({ max })), RangeError);
  }
});

for (const transport of TRANSPORTS) {
  test(`batches never stall over ${transport}`, async () => {
    const pull = use(new Pull());
    const push = use(new Push());
    push.connect(await bound(pull, transport));
    const total = 200_000;
    const batch = new Array<Uint8Array>(250).fill(new Uint8Array(16));
    const sending = (async () => {
      for (let i = 0; i < total; i += batch.length) await push.sendMany(batch);
    })();
    for (let got = 0; got < total;) {
      got += (await within(pull.receiveMany(), `more than ${got}`)).length;
    }
    await sending;
  });
}

test("receiveMany of sockets that take turns gives one message", async () => {
  const reply = use(new Reply());
  const address = await bound(reply, "inproc");
  const requests = [1, 2].map(() => use(new Request({ linger: 0 })));
  for (const request of requests) {
    request.connect(address);
    await request.send("x");
  }
  for (const _ of requests) {
    assert.is((await within(reply.receiveMany(), "one")).length, 1);
    checkError(
      await rejection(
        new Reply({ receiveTimeout: 0 }).receiveMany(),
      ),
      "EAGAIN",
    );
    await reply.send("y");
  }
  // Each message here decides about the next.
  const publisher = use(new XPublisher({ manual: true }));
  const pub = await bound(publisher, "inproc");
  const subscriber = use(new XSubscriber());
  subscriber.connect(pub);
  await subscriber.sendMany(["\x01a", "\x01b"]);
  assert.is((await within(publisher.receiveMany(), "one")).length, 1);
  assert.is((await within(publisher.receiveMany(), "one")).length, 1);
});

// --- web streams

test("readableStream ends when the socket is closed", async () => {
  const { push, pull } = await pipe();
  await push.sendMany(["a", ["b", "c"]]);
  const got: string[][] = [];
  for await (
    const message of pull.readableStream() as unknown as AsyncIterable<
      Uint8Array[]
    >
  ) {
    got.push(texts(message));
    if (got.length === 2) setTimeout(() => pull.close(), 5);
  }
  assert.equal(got, [["a"], ["b", "c"]]);
});

test("readableStream takes a message only when it is asked for one", async () => {
  const { push, pull } = await pipe();
  const reader = pull.readableStream().getReader();
  await push.sendMany(["a", "b"]);
  const { value } = await within(reader.read(), "a message");
  assert.equal(texts(value!), ["a"]);
  assert.equal(await next(pull), ["b"]);
});

test("a cancelled readableStream takes no message from others", async () => {
  const { push, pull } = await pipe();
  const reader = pull.readableStream().getReader();
  const reading = reader.read();
  assert.ok(await stays(reading, 20));
  await reader.cancel();
  assert.is((await within(reading, "the end")).done, true);
  const receiving = pull.receive();
  await push.send("mine");
  assert.equal(texts(await within(receiving, "a message")), ["mine"]);
});

test("writableStream has back-pressure, and can be aborted", async () => {
  const { push, pull } = await pipe({ sendHighWaterMark: 1 });
  pull.receiveHighWaterMark = 1;
  const writer = push.writableStream().getWriter();
  const messages = Array.from({ length: 50 }, (_, i) => `${i}`);
  const writing = (async () => {
    for (const message of messages) await writer.write([message, "x"]);
  })();
  for (const message of messages) {
    assert.equal(await next(pull), [message, "x"]);
  }
  await within(writing, "all written");
  const alone = use(new Push());
  const stuck = alone.writableStream().getWriter();
  const write = stuck.write("never");
  assert.ok(await stays(write, 20));
  const reason = new Error("enough");
  await within(stuck.abort(reason), "the end of the write");
  assert.is(await rejection(write), reason);
  // The socket is free again.
  assert.ok(await stays(alone.send("x", {}), 20));
});

test("streams can be piped from socket to socket", async () => {
  const first = await pipe(), second = await pipe();
  const controller = new AbortController();
  const piping = first.pull.readableStream()
    .pipeTo(second.push.writableStream(), controller);
  for (let i = 0; i < 20; i++) {
    await first.push.send(["frame", `${i}`]);
    assert.equal(await next(second.pull), ["frame", `${i}`]);
  }
  controller.abort();
  await rejection(piping);
  // What comes now is not taken.
  await first.push.send("y");
  assert.equal(await next(first.pull), ["y"]);
});

// --- the end of a block

test("using closes a socket; await using waits until it is gone", async () => {
  const context = new Context();
  let socket: Dealer;
  {
    using inner = new Dealer({ context });
    socket = inner;
    assert.is(socket.closed, false);
  }
  assert.is(socket.closed, true);
  await until(() => context.resources.sockets === 0, "no socket");
  const pull = use(new Pull());
  const address = await bound(pull);
  {
    await using push = new Push({ context });
    push.connect(address);
    await push.sendMany(["a", "b"]);
  }
  assert.is(context.resources.sockets, 0);
  assert.equal(await next(pull), ["a"]);
  assert.equal(await next(pull), ["b"]);
  // A second end is none.
  await within(socket[Symbol.asyncDispose](), "disposing again");
  socket[Symbol.dispose]();
});

test("disposal waits for linger, not longer", async () => {
  const socket = new Push({ linger: 30 });
  socket.connect("tcp://127.0.0.1:9");
  await socket.send("x");
  const started = performance.now();
  await within(socket[Symbol.asyncDispose](), "the end");
  assert.ok(performance.now() - started >= 25);
});

// --- properties and options

test("receiveWithProperties tells of the connection", async () => {
  const pull = use(new Pull());
  const push = use(new Push({ linger: 0 }));
  push.connect(await bound(pull));
  await push.send(["x", "y"]);
  const { frames, properties } = await within(
    pull.receiveWithProperties(),
    "a message",
  );
  assert.equal(texts(frames), ["x", "y"]);
  assert.is(properties["Peer-Address"], "127.0.0.1");
  assert.is(properties["Socket-Type"], "PUSH");
  // Over inproc there is nothing to tell.
  const inside = await pipe();
  await inside.push.send("z");
  const told = await within(inside.pull.receiveWithProperties(), "a message");
  assert.equal(told.properties, {});
});

test("each message has the properties of its own connection", async () => {
  const pull = use(new Pull());
  const address = await bound(pull);
  const names = ["a", "b"], count = 60;
  for (const name of names) {
    const push = use(new Push({ linger: 0, metadata: `X-name:${name}` }));
    push.connect(address);
    // Frames of which now and then the first is the last of a batch.
    const frame = new Uint8Array(2900 + name.charCodeAt(0));
    for (let i = 0; i < count; i++) await push.send([frame, name]);
    for (let i = 0; i < count; i++) await push.send([frame, frame, name]);
  }
  for (let i = 0; i < names.length * count * 2; i++) {
    const { frames, properties } = await within(
      pull.receiveWithProperties(),
      `message ${i}`,
    );
    assert.is(properties["X-name"], String(frames.at(-1)), `message ${i}`);
  }
});

test("messages of connections that are gone have their properties", async () => {
  const pull = use(new Pull());
  const address = await bound(pull);
  const count = 200;
  for (let i = 0; i < count; i++) {
    const push = use(new Push({ metadata: `X-name:${i}` }));
    push.connect(address);
    await push.send(`${i}`);
    await push[Symbol.asyncDispose]();
  }
  await until(() => pull.counters.connections === 0, "their end");
  for (let i = 0; i < count; i++) {
    const { frames, properties } = await within(
      pull.receiveWithProperties(),
      `message ${i}`,
    );
    assert.is(properties["X-name"], String(frames[0]));
  }
});

test("a Radio that does not drop waits", async () => {
  const radio = use(
    new Radio({ noDrop: true, sendHighWaterMark: 1, sendTimeout: 0 }),
  );
  const dish = use(new Dish({ receiveHighWaterMark: 1 }));
  assert.is(radio.noDrop, true);
  dish.join("g");
  const address = anywhere("inproc");
  await dish.bind(address);
  radio.connect(address);
  // It knows of the group once a message has arrived.
  await until(async () => {
    await radio.send("first", { group: "g" });
    return dish.readable;
  }, "the group");
  let [message] = await dish.receive();
  let sent = 0;
  const error = await rejection((async () => {
    for (; sent < 1000; sent++) await radio.send(`${sent}`, { group: "g" });
  })());
  checkError(error, "EAGAIN");
  for (let i = 0; i < sent; i++) {
    do [message] = await within(dish.receive(), "a message"); while (
      String(message) === "first"
    );
    assert.is(String(message), `${i}`);
  }
});

test("sendMany sends all that comes before what it cannot send", async () => {
  const broken = new Error("no more");
  const sources: [string, () => Iterable<MessageLike>][] = [
    ["a symbol", () => ["a", "b", Symbol("c") as unknown as string, "d"]],
    ["undefined", () => ["a", "b", undefined as unknown as string, "d"]],
    ["a generator that throws", function* () {
      yield* ["a", "b"];
      throw broken;
    }],
  ];
  for (const [what, source] of sources) {
    const { push, pull } = await pipe();
    const error = await rejection(push.sendMany(source()));
    assert.ok(error === broken || error instanceof TypeError, what);
    for (const text of ["a", "b"]) assert.equal(await next(pull), [text], what);
    await push.send("after");
    assert.equal(await next(pull), ["after"], what);
  }
});

test.run();
