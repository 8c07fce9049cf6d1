/** inproc between threads: every pattern, in both directions. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
} from "zeromq-wasm";
import { within } from "../support/deadline.ts";
import { cleanUp, fresh, spawn, use } from "./worker.ts";

const test = suite("threads: patterns");
test.after.each(cleanUp);

const texts = (frames: Uint8Array[]) => frames.map(String);

for (const binder of ["this thread", "the other"] as const) {
  const here = binder === "this thread";
  /** Binds or connects our socket, and says what the other thread does. */
  const attach = async (
    socket: { bind(address: string): Promise<void>; connect(a: string): void },
  ) => {
    const address = fresh();
    if (here) await socket.bind(address);
    else socket.connect(address);
    const verb = here ? "connect" : "bind";
    return { address, attach: `await socket.${verb}(data);` };
  };

  test(`pair and pair, bound by ${binder}`, async () => {
    const pair = use(new Pair());
    const { address, attach: there } = await attach(pair);
    spawn(
      `const socket = new z.Pair(); ${there}
      for await (const [head, ...rest] of socket) {
        await socket.send(["re " + head, ...rest]);
      }`,
      address,
    );
    for (let i = 0; i < 20; i++) {
      await within(pair.send([String(i), "", "z"]), "send");
      const reply = await within(pair.receive(), "reply");
      assert.equal(texts(reply), [`re ${i}`, "", "z"]);
    }
  });

  test(`push to pull, bound by ${binder}, keeps the order`, async () => {
    const push = use(new Push());
    const { address, attach: there } = await attach(push);
    const other = spawn(
      `const socket = new z.Pull(); ${there}
      for (let i = 0; i < 20000; i++) {
        const [message] = await socket.receive();
        if (String(message) !== String(i)) throw Error(i + " is " + message);
      }
      tell("all");`,
      address,
    );
    for (let i = 0; i < 20_000; i++) {
      await within(push.send(String(i)), `message ${i}`);
    }
    assert.is(await other.next(), "all");
  });

  test(`pull from push, bound by ${binder}, keeps the order`, async () => {
    const pull = use(new Pull());
    const { address, attach: there } = await attach(pull);
    spawn(
      `const socket = new z.Push(); ${there}
      for (let i = 0; i < 20000; i++) await socket.send(String(i));`,
      address,
    );
    for (let i = 0; i < 20_000; i++) {
      const [message] = await within(pull.receive(), `message ${i}`);
      assert.is(String(message), String(i));
    }
  });

  test(`request and reply, bound by ${binder}`, async () => {
    const request = use(new Request());
    const { address, attach: there } = await attach(request);
    spawn(
      `const socket = new z.Reply(); ${there}
      for await (const [text] of socket) await socket.send("re " + text);`,
      address,
    );
    for (let i = 0; i < 200; i++) {
      await within(request.send(String(i)), "request");
      assert.equal(texts(await within(request.receive(), "reply")), [
        `re ${i}`,
      ]);
    }
  });

  test(`reply and request, bound by ${binder}`, async () => {
    const reply = use(new Reply());
    const { address, attach: there } = await attach(reply);
    const other = spawn(
      `const socket = new z.Request(); ${there}
      for (let i = 0; i < 10; i++) {
        await socket.send("x" + i);
        tell(String(await socket.receive()));
      }`,
      address,
    );
    for (let i = 0; i < 10; i++) {
      const [text] = await within(reply.receive(), "request");
      await reply.send(`re ${text}`);
      assert.is(await other.next(), `re x${i}`);
    }
  });

  test(`router and dealer, bound by ${binder}`, async () => {
    const router = use(new Router({ mandatory: true }));
    const { address, attach: there } = await attach(router);
    spawn(
      `const socket = new z.Dealer({ routingId: "it" }); ${there}
      await socket.send("hello");
      for await (const [text] of socket) await socket.send("re " + text);`,
      address,
    );
    assert.equal(texts(await within(router.receive(), "hello")), [
      "it",
      "hello",
    ]);
    for (let i = 0; i < 20; i++) {
      await router.send(["it", String(i)]);
      const reply = await within(router.receive(), "reply");
      assert.equal(texts(reply), ["it", `re ${i}`]);
    }
  });

  test(`dealer and router, bound by ${binder}`, async () => {
    const dealer = use(new Dealer({ routingId: "me" }));
    const { address, attach: there } = await attach(dealer);
    spawn(
      `const socket = new z.Router(); ${there}
      for await (const [id, text] of socket) {
        await socket.send([id, id + " " + text]);
      }`,
      address,
    );
    await within(dealer.send("x"), "send");
    assert.equal(texts(await within(dealer.receive(), "reply")), ["me x"]);
  });

  test(`subscriber and publisher, bound by ${binder}`, async () => {
    const subscriber = use(new Subscriber());
    const { address, attach: there } = await attach(subscriber);
    // Before and after the connection stands.
    subscriber.subscribe("a");
    const other = spawn(
      `const socket = new z.XPublisher(); ${there}
      for (let i = 0; i < 2; i++) tell(String((await socket.receive())[0]));
      for (const text of ["a1", "x1", "b1", "a2"]) await socket.send(text);
      tell(String((await socket.receive())[0]));
      for (const text of ["a3", "b2"]) await socket.send(text);`,
      address,
    );
    assert.is(await other.next(), "\x01a");
    subscriber.subscribe("b");
    assert.is(await other.next(), "\x01b");
    for (const text of ["a1", "b1", "a2"]) {
      assert.equal(texts(await within(subscriber.receive(), text)), [text]);
    }
    subscriber.unsubscribe("a");
    assert.is(await other.next(), "\x00a");
    assert.equal(texts(await within(subscriber.receive(), "b2")), ["b2"]);
  });

  test(`publisher and subscriber, bound by ${binder}`, async () => {
    const publisher = use(new Publisher());
    const { address, attach: there } = await attach(publisher);
    const other = spawn(
      `const socket = new z.Subscriber(); socket.subscribe("a"); ${there}
      tell(String(await socket.receive()));`,
      address,
    );
    const told = other.next();
    let got: unknown;
    void told.then((it) => got = it, () => got = "nothing");
    // Whoever subscribes late misses what came before.
    while (got === undefined) {
      await publisher.send("x");
      await publisher.send("a");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.is(await told, "a");
  });
}

test("large messages, both ways", async () => {
  const pair = use(new Pair());
  const address = fresh();
  await pair.bind(address);
  spawn(
    `const socket = new z.Pair(); socket.connect(data);
    for await (const frames of socket) await socket.send(frames);`,
    address,
  );
  for (const size of [0, 1, 131_071, 131_072, 1_000_003, 20_000_000]) {
    const body = new Uint8Array(size);
    for (let i = 0; i < size; i += 997) body[i] = i % 251;
    await pair.send(["head", body]);
    const [head, back] = await within(pair.receive(), `${size} bytes`);
    assert.is(String(head), "head");
    assert.is(back!.length, size);
    let wrong = 0;
    for (let i = 0; i < size; i += 997) if (back![i] !== i % 251) wrong++;
    assert.is(wrong, 0);
  }
});

test("threads that this thread started reach each other", async () => {
  const address = fresh();
  const replier = spawn(
    `const socket = new z.Reply(); await socket.bind(data); tell("bound");
    for await (const [text] of socket) await socket.send("re " + text);`,
    address,
  );
  assert.is(await replier.next(), "bound");
  const requester = spawn(
    `const socket = new z.Request(); socket.connect(data);
    await socket.send("x"); tell(String(await socket.receive()));`,
    address,
  );
  assert.is(await requester.next(), "re x");
});

test.run();
