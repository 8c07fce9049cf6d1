/** Receiving while JavaScript has no memory for some frames: their messages are lost, no others. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as inner from "../../ts/mod.ts";
import { coreOf } from "../../ts/socket/context.ts";
import {
  anywhere,
  bound,
  closeAll,
  next,
  rejection,
  texts,
  until,
  use,
  within,
} from "./tools.ts";

const test = suite("no room");
test.after.each(closeAll);

/** What is too large to lie among others, and lies in the module. */
const LOST = 5001;
const lost = () => new Uint8Array(LOST);

/** There is no memory for frames of `LOST` bytes, or of `size`, until `end`. */
function starve(context: inner.Context, size = LOST) {
  const { instance } = coreOf(context).reactor;
  const { allocate } = instance;
  const error = new RangeError("Array buffer allocation failed");
  Object.assign(instance, {
    allocate(bytes: number, content?: Uint8Array) {
      if (bytes === size) throw error;
      return allocate(bytes, content);
    },
  });
  return { error, end: () => void Object.assign(instance, { allocate }) };
}

async function pipe(transport: "tcp" | "inproc" = "inproc") {
  const context = new inner.Context();
  const unlimited = { context, linger: 0 };
  const push = use(new inner.Push({ ...unlimited, sendHighWaterMark: 0 }));
  const pull = use(new inner.Pull({ ...unlimited, receiveHighWaterMark: 0 }));
  push.connect(await bound(pull, transport));
  return { context, push, pull };
}

/** Also what is thrown is a rejection. */
async function receive(pull: inner.Pull) {
  return await pull.receive();
}

/** Receives until "end"; what else comes, and how often it rejects. */
async function rest(pull: inner.Pull, error: Error) {
  const messages: string[][] = [];
  for (let rejections = 0;;) {
    try {
      const message = texts(await within(pull.receive(), "a message"));
      if (message[0] === "end") return { messages, rejections };
      messages.push(message);
    } catch (failure) {
      assert.is(failure, error);
      rejections++;
    }
  }
}

for (
  const [where, message] of [
    ["alone", [lost()]],
    ["in front", [lost(), "x", "y"]],
    ["in the middle", ["x", lost(), "y"]],
    ["at the end", ["x", "y", lost()]],
    ["twice", [lost(), "x", lost()]],
    ["among others that are large", [
      new Uint8Array(5000),
      lost(),
      new Uint8Array(40_000),
    ]],
  ] as const
) {
  test(`a frame without room ${where} takes its own message only`, async () => {
    const { context, push, pull } = await pipe();
    const { error, end } = starve(context);
    for (const first of [["a"], message, ["b", "c"], ["d"], ["end"]]) {
      await push.send([...first]);
    }
    assert.is(await rejection(receive(pull), "the receive"), error);
    const { messages, rejections } = await rest(pull, error);
    assert.equal(messages, [["a"], ["b", "c"], ["d"]]);
    assert.is(rejections, 0);
    // Several in one batch, also as its last.
    for (const first of [message, ["a"], message, ["b", "c"], message]) {
      await push.send([...first]);
    }
    assert.is(await rejection(receive(pull), "the receive"), error);
    assert.equal(await next(pull), ["a"]);
    assert.equal(await next(pull), ["b", "c"]);
    end();
    await push.send([...message]);
    const whole = await within(pull.receive(), "the message");
    assert.equal(
      whole.map(({ length }) => length),
      message.map(({ length }) => length),
    );
    assert.is(context.resources.bodies, 0);
  });
}

test("a message that takes several crossings is lost whole", async () => {
  const parts = Array.from({ length: 60 }, (_, i) => `part ${i}`.padEnd(4000));
  for (const at of [0, 1, 30, 59, 60]) {
    const { context, push, pull } = await pipe();
    const { error, end } = starve(context);
    await push.send("a");
    await push.send([...parts.slice(0, at), lost(), ...parts.slice(at)]);
    for (const message of [["b"], parts, ["c", "d"], ["end"]]) {
      await push.send(message);
    }
    const { messages, rejections } = await rest(pull, error);
    assert.equal(messages, [["a"], ["b"], parts, ["c", "d"]], `at ${at}`);
    assert.is(rejections, 1);
    end();
  }
});

test("a receive that waits rejects, and the next one goes on", async () => {
  for (const transport of ["inproc", "tcp"] as const) {
    const { context, push, pull } = await pipe(transport);
    await push.send("ready");
    assert.equal(await next(pull), ["ready"]);
    const { error, end } = starve(context);
    const waits = rejection(pull.receive(), "the receive");
    await push.send(["x", lost()]);
    assert.is(await waits, error);
    const goesOn = next(pull);
    await push.send("y");
    assert.equal(await goesOn, ["y"]);
    end();
  }
});

test("each message keeps the properties of its own connection", async () => {
  const { context, push, pull } = await pipe("tcp");
  const other = use(new inner.Push({ context, linger: 0 }));
  const names = ["one", "two"];
  const pushes = [push, other];
  push.disconnect(pull.lastEndpoint!);
  for (const [i, socket] of pushes.entries()) {
    socket.metadata = `X-name:${names[i]}`;
    socket.connect(pull.lastEndpoint!);
  }
  const { error } = starve(context);
  const COUNT = 50;
  for (let i = 0; i < COUNT; i++) {
    for (const [at, socket] of pushes.entries()) {
      await socket.send(i % 3 === at ? [lost(), "x"] : names[at]!);
    }
  }
  for (const socket of pushes) await socket.send("end");
  for (let ends = 0; ends < 2;) {
    try {
      const waits = pull.receiveWithProperties();
      const { frames, properties } = await within(waits, "a message");
      if (String(frames[0]) === "end") ends++;
      else assert.is(String(frames[0]), properties["X-name"]);
    } catch (failure) {
      assert.is(failure, error);
    }
  }
});

test("what several got is lost only where there was no room", async () => {
  const SIZE = 40_001;
  const context = new inner.Context(), options = { context, linger: 0 };
  const publisher = use(new inner.XPublisher(options));
  const address = anywhere("inproc");
  await publisher.bind(address);
  const [one, two] = [1, 2].map(() => {
    const subscriber = use(new inner.Subscriber(options));
    subscriber.subscribe("");
    subscriber.connect(address);
    return subscriber;
  }) as [inner.Subscriber, inner.Subscriber];
  await within(publisher.receive(), "the subscription");
  const body = new Uint8Array(SIZE).fill(65);
  await publisher.send(["a", body]);
  await publisher.send("b");
  const { error, end } = starve(context, SIZE);
  const outcome = await (async () => await one.receive())()
    .catch((failure: Error) => failure);
  // Where bodies lie outside, and not in the module, the last one gets that itself.
  assert.is(outcome, error);
  assert.equal(await next(one), ["b"]);
  end();
  const [head, large] = await within(two.receive(), "two frames");
  assert.is(String(head), "a");
  assert.equal(large, Buffer.from(body));
  assert.equal(await next(two), ["b"]);
  await until(() => context.resources.bodies === 0, "no body is left");
});

test("receiveMany loses none of what it has taken already", async () => {
  const { context, push, pull } = await pipe();
  const { error, end } = starve(context);
  const COUNT = 900, AT = 300; // more than one crossing fetches
  for (let i = 0; i < COUNT; i++) {
    await push.send(i === AT ? ["x", lost()] : `${i}`);
  }
  const got: string[] = [];
  let rejections = 0;
  while (got.length < COUNT - 1) {
    try {
      const some = await within(pull.receiveMany(), "messages");
      got.push(...some.map(String));
    } catch (failure) {
      assert.is(failure, error);
      rejections++;
    }
  }
  assert.is(rejections, 1);
  assert.equal(got.map(Number).filter((i) => i === AT), []);
  end();
});

test.run();
