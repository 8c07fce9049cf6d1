/** What single socket types promise beyond moving messages. */
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
  XPublisher,
  XSubscriber,
} from "zeromq-wasm";
import { bound, closeAll, next, stays, use, within } from "./tools.ts";

const test = suite("patterns");
test.after.each(closeAll);

test("relaxed lets a Request ask again, correlate drops the old answer", async () => {
  const request = use(
    new Request({ linger: 0, relaxed: true, correlate: true }),
  );
  const router = use(new Router());
  request.connect(await bound(router));
  await request.send("first");
  const first = await within(router.receive(), "the first");
  await request.send("second");
  const second = await within(router.receive(), "the second");
  assert.is(String(second.at(-1)), "second");
  await router.send([...first.slice(0, -1), "late"]);
  await router.send([...second.slice(0, -1), "in time"]);
  assert.equal(await next(request), ["in time"]);
});

test("correlate puts a number in front of the request", async () => {
  const request = use(new Request({ linger: 0, correlate: true }));
  const reply = use(new Reply());
  request.connect(await bound(reply));
  for (let i = 0; i < 3; i++) {
    await request.send(`question ${i}`);
    assert.equal(await next(reply), [`question ${i}`]);
    await reply.send("answer");
    assert.equal(await next(request), ["answer"]);
  }
});

test("verbosity says which repeated subscriptions are told", async () => {
  const cases = [
    [null, ["\x01t", "\0t"]],
    ["allSubs", ["\x01t", "\x01t", "\0t"]],
    ["allSubsUnsubs", ["\x01t", "\x01t", "\0t", "\0t"]],
  ] as const;
  for (const [verbosity, expected] of cases) {
    const publisher = use(new XPublisher({ linger: 0 }));
    publisher.verbosity = verbosity;
    const address = await bound(publisher, "inproc");
    const subscribers = [1, 2].map(() => use(new XSubscriber({ linger: 0 })));
    for (const subscriber of subscribers) subscriber.connect(address);
    const told: string[] = [];
    let marks = 0;
    for (const what of ["\x01t", "\0t"]) {
      for (const subscriber of subscribers) {
        await subscriber.send(what);
        // The order between connections is nobody's promise.
        const mark = `\x01mark ${++marks}`;
        await subscriber.send(mark);
        for (;;) {
          const [text] = await next(publisher) as [string];
          if (text === mark) break;
          told.push(text);
        }
      }
    }
    assert.equal(told, [...expected], String(verbosity));
  }
});

test("subscribe and unsubscribe take several prefixes, and bytes", async () => {
  const publisher = use(new XPublisher({ linger: 0 }));
  const subscriber = use(new Subscriber());
  subscriber.connect(await bound(publisher));
  subscriber.subscribe("a", new Uint8Array([0x62, 0]));
  assert.equal(await next(publisher), ["\x01a"]);
  assert.equal(await next(publisher), ["\x01b\0"]);
  await publisher.send("b");
  await publisher.send("b\0!");
  assert.equal(await next(subscriber), ["b\0!"]);
  subscriber.unsubscribe("a", "b\0");
  assert.equal(await next(publisher), ["\0a"]);
  assert.equal(await next(publisher), ["\0b\0"]);
  subscriber.subscribe();
  assert.equal(await next(publisher), ["\x01"]);
  await publisher.send("everything");
  assert.equal(await next(subscriber), ["everything"]);
});

test("a welcome message comes first, manual leaves subscribing to us", async () => {
  const publisher = use(
    new XPublisher({ linger: 0, welcomeMessage: "hello", manual: true }),
  );
  const subscriber = use(new Subscriber());
  subscriber.subscribe("hello");
  subscriber.connect(await bound(publisher));
  // libzmq greets when the publisher is used next.
  assert.equal(await next(publisher), ["\x01hello"]);
  assert.equal(await next(subscriber), ["hello"]);
  // Nobody has accepted the subscription.
  await publisher.send("hello, not for you");
  assert.ok(await stays(subscriber.receive()));
});

test("invertMatching sends to who did not subscribe", async () => {
  const publisher = use(new Publisher({ linger: 0, invertMatching: true }));
  const subscriber = use(new Subscriber({ invertMatching: true }));
  subscriber.subscribe("no");
  subscriber.connect(await bound(publisher, "inproc"));
  await publisher.send("no, thanks");
  await publisher.send("yes");
  assert.equal(await next(subscriber), ["yes"]);
});

test("conflate keeps the last message only", async () => {
  const pull = use(new Pull({ conflate: true }));
  const push = use(new Push({ linger: 0, conflate: true }));
  push.connect(await bound(pull, "inproc"));
  for (let i = 0; i <= 100; i++) await push.send(i);
  assert.equal(await next(pull), ["100"]);
  assert.ok(await stays(pull.receive()));
});

test("a Router that connects can name its peer", async () => {
  const router = use(new Router({ linger: 0, mandatory: true }));
  const peers = ["one", "two"].map(() => use(new Dealer({ linger: 0 })));
  router.connect(await bound(peers[0]!), { routingId: "one" });
  router.connect(await bound(peers[1]!, "inproc"), { routingId: "two" });
  for (const [i, name] of ["one", "two"].entries()) {
    await router.send([name, `for ${name}`]);
    assert.equal(await next(peers[i]!), [`for ${name}`]);
    await peers[i]!.send("answer");
    assert.equal(await next(router), [name, "answer"]);
  }
});

test("handover gives the name to who comes last", async () => {
  const router = use(new Router({ handover: true, linger: 0 }));
  const address = await bound(router);
  for (const text of ["first", "second"]) {
    const dealer = use(new Dealer({ linger: 0, routingId: "name" }));
    dealer.connect(address);
    await dealer.send(text);
    assert.equal(await next(router), ["name", text]);
    await router.send(["name", `to ${text}`]);
    assert.equal(await next(dealer), [`to ${text}`]);
  }
});

test("probeRouter announces who connects", async () => {
  const router = use(new Router());
  const dealer = use(
    new Dealer({ linger: 0, probeRouter: true, routingId: "here" }),
  );
  dealer.connect(await bound(router));
  assert.equal(await next(router), ["here", ""]);
});

test("immediate sends only to who is there", async () => {
  const pull = use(new Pull());
  const push = use(new Push({ linger: 0, immediate: true }));
  push.connect("tcp://127.0.0.1:1");
  const sending = push.send("0");
  assert.ok(await stays(sending, 20));
  push.connect(await bound(pull));
  await within(sending, "the send");
  for (let i = 1; i < 10; i++) await push.send(i);
  for (let i = 0; i < 10; i++) assert.equal(await next(pull), [String(i)]);
});

test("work goes round, and a Pair takes one peer only", async () => {
  const push = use(new Push({ linger: 0 }));
  const pulls = [1, 2, 3].map(() => use(new Pull()));
  for (const pull of pulls) push.connect(await bound(pull, "inproc"));
  for (let i = 0; i < 9; i++) await push.send(i);
  for (const [p, pull] of pulls.entries()) {
    for (let i = 0; i < 3; i++) {
      assert.equal(await next(pull), [String(i * 3 + p)]);
    }
  }
  const one = use(new Pair()), two = use(new Pair({ linger: 0 }));
  const address = await bound(one);
  two.connect(address);
  await two.send("x");
  assert.equal(await next(one), ["x"]);
  const three = use(new Pair({ linger: 0, sendTimeout: 50 }));
  three.connect(address);
  void three.send("stranger");
  assert.ok(await stays(one.receive(), 100));
});

// --- multipart

test("a message is whole, also when its peer goes away in the middle", async () => {
  const push = use(new Push({ linger: 0, sendHighWaterMark: 2 }));
  let serial = 0;
  const frames = () => {
    const all = [`${serial}`];
    for (let i = 0; i < 6; i++) all.push(`${serial}.${i}`.padEnd(5000, "-"));
    serial++;
    return all;
  };
  let over = false;
  const sending = (async () => {
    while (!over) await push.send(frames());
  })().catch(() => {});
  for (let round = 0; round < 12; round++) {
    const pull = new Pull({ receiveHighWaterMark: 2 });
    const transport = (["tcp", "inproc", "ipc"] as const)[round % 3]!;
    const address = await bound(pull, transport);
    push.connect(address);
    for (let i = 0; i < 5; i++) {
      const [head, ...rest] = await next(pull, `round ${round}`);
      assert.is(rest.length, 6, `${transport}: ${head} has ${rest.length}`);
      rest.forEach((text, i) => assert.ok(text.startsWith(`${head}.${i}-`)));
    }
    pull.close();
    if (round % 2) push.disconnect(address);
  }
  over = true;
  push.close();
  await within(sending, "the last send");
});

test("of a message that has to wait, all frames go or none", async () => {
  const dealer = use(
    new Dealer({ linger: 0, sendHighWaterMark: 1, sendTimeout: 10 }),
  );
  const peer = use(new Dealer({ receiveHighWaterMark: 1 }));
  dealer.connect(await bound(peer, "inproc"));
  const sent: string[] = [];
  for (let i = 0; i < 20; i++) {
    try {
      await dealer.send([`${i}`, "middle", `${i} end`]);
      sent.push(String(i));
    } catch (error) {
      assert.is((error as { code?: string }).code, "EAGAIN");
      if (sent.length < 15) {
        const [head, middle, end, ...rest] = await next(peer);
        assert.equal([middle, end, rest], ["middle", `${head} end`, []]);
        assert.is(sent.shift(), head);
      }
    }
  }
  for (const head of sent) {
    assert.equal(await next(peer), [head, "middle", `${head} end`]);
  }
  assert.ok(await stays(peer.receive(), 20));
});

test.run();
