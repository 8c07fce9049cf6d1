/** Operations that wait: for how long, how many, and what ends them. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
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
import {
  bound,
  checkError,
  closeAll,
  next,
  rejection,
  stays,
  thrown,
  TRANSPORTS,
  use,
  within,
} from "./tools.ts";

const test = suite("waiting");
test.after.each(closeAll);

const TIMED_OUT = /^Operation was not possible or timed out$/;

/** An operation that cannot succeed, with a timeout. */
const WAITS: [string, (timeout?: number) => () => Promise<unknown>][] = [
  ["receive", (receiveTimeout = -1) => {
    const socket = use(new Pull({ receiveTimeout }));
    return () => socket.receive();
  }],
  ["send", (sendTimeout = -1) => {
    const socket = use(new Push({ sendTimeout }));
    return () => socket.send("x");
  }],
  ["send of several frames", (sendTimeout = -1) => {
    const socket = use(new Dealer({ sendTimeout }));
    return () => socket.send(["x", new Uint8Array(9999), "y"]);
  }],
];

for (const [name, make] of WAITS) {
  test(`${name} with a timeout of 0 rejects at once`, async () => {
    let ticks = 0;
    const immediate = setImmediate(() => ticks++);
    const error = await rejection(make(0)());
    checkError(error, "EAGAIN", { says: TIMED_OUT });
    assert.is(ticks, 0, "without a turn of the event loop");
    clearImmediate(immediate);
  });

  test(`${name} with a timeout rejects after it`, async () => {
    const call = make(60);
    for (let i = 0; i < 2; i++) {
      const started = performance.now();
      checkError(await rejection(call()), "EAGAIN", { says: TIMED_OUT });
      const took = performance.now() - started;
      assert.ok(took >= 55, `${took} ms`);
    }
  });

  test(`${name} without a timeout waits; a second one is EBUSY`, async () => {
    const call = make();
    const first = call();
    first.catch(() => {});
    const error = thrown(call);
    checkError(error, "EBUSY", {
      says: name === "receive"
        ? /^Socket is busy reading; only one receive operation may be in progress at any time$/
        : /^Socket is busy writing; only one send operation may be in progress at any time$/,
    });
    assert.ok(await stays(first));
  });
}

test("a send within a send that waits is the one that waits", async () => {
  for (const more of [[], ["x"], [new Uint8Array(70_000)]]) {
    const push = use(new Push({ linger: 0 })), pull = use(new Pull());
    let inner: Promise<void> | undefined;
    const frame = {
      toString() {
        inner ??= push.send("inner");
        return "outer";
      },
    } as unknown as string;
    const error = thrown(() => push.send([frame, ...more]), "the outer one");
    checkError(error, "EBUSY", { says: /^Socket is busy writing/ });
    assert.ok(await stays(inner!, 5));
    assert.is(push.context.resources.bodies, 0);
    push.connect(await bound(pull));
    await within(inner!, "the inner one");
    assert.equal(await next(pull), ["inner"]);
    await push.send([frame, "after"]);
    assert.equal(await next(pull), ["outer", "after"]);
  }
});

test("after close everything throws EBADF, before anything else", () => {
  const socket = use(new Dealer());
  socket.close();
  const calls = [
    () => socket.send("x"),
    () => socket.send([]),
    () => socket.receive(),
    () => socket.bind("nonsense"),
    () => socket.unbind("nonsense"),
    () => socket.connect("nonsense"),
    () => socket.disconnect("nonsense"),
    () => socket.linger,
    () => socket.linger = 1,
    () => socket.events,
  ];
  for (const call of calls) {
    checkError(thrown(call, String(call)), "EBADF", { says: /is closed/ });
  }
  socket.close();
  assert.is(socket.closed, true);
  assert.is(socket.readable, false);
  assert.is(socket.writable, false);
});

test("close rejects what is pending with EAGAIN", async () => {
  const socket = use(new Dealer());
  const pending = [socket.send(["x", "y"]), socket.receive()];
  const errors = pending.map((promise) => rejection(promise));
  assert.ok(await stays(pending[0]!, 5));
  socket.close();
  for (const error of await Promise.all(errors)) {
    checkError(error, "EAGAIN", { says: TIMED_OUT });
  }
});

test("a send and a receive wait at the same time", async () => {
  const a = use(new Dealer()), b = use(new Dealer({ linger: 0 }));
  const sending = a.send("from a"), receiving = next(a);
  b.connect(await bound(a));
  await within(sending, "the send");
  assert.equal(await next(b), ["from a"]);
  await b.send("from b");
  assert.equal(await receiving, ["from b"]);
});

test("a pending receive does not stop sends, nor the other way round", async () => {
  const a = use(new Pair()), b = use(new Pair());
  b.connect(await bound(a));
  const answers = next(a);
  for (let i = 0; i < 3000; i++) await a.send(String(i));
  for (let i = 0; i < 3000; i++) assert.equal(await next(b), [String(i)]);
  await b.send("done");
  assert.equal(await answers, ["done"]);
});

test("for await ends quietly at close, also while it waits", async () => {
  for (const waits of [true, false]) {
    const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
    push.connect(await bound(pull));
    await push.send("1");
    await push.send("2");
    const seen: string[] = [];
    const loop = (async () => {
      for await (const [frame] of pull) {
        seen.push(String(frame));
        if (seen.length === 2) {
          if (waits) setImmediate(() => pull.close());
          else pull.close();
        }
      }
    })();
    await within(loop, "the loop");
    assert.equal(seen, ["1", "2"]);
  }
});

test("for await surfaces other errors, and break leaves the socket open", async () => {
  const request = use(new Request({ receiveTimeout: 0 }));
  const loop = (async () => {
    for await (const _ of request) assert.unreachable();
  })();
  checkError(await rejection(loop), "EFSM");
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  push.connect(await bound(pull));
  await push.send("1");
  await push.send("2");
  for await (const _ of pull) break;
  assert.equal(await next(pull), ["2"]);
  const timed = use(new Pull({ receiveTimeout: 1 }));
  const late = (async () => {
    for await (const _ of timed) assert.unreachable();
  })();
  checkError(await rejection(late), "EAGAIN");
});

test("a state machine out of step is EFSM", async () => {
  const request = use(new Request({ linger: 0 })), reply = use(new Reply());
  request.connect(await bound(reply));
  const says = /^Operation cannot be accomplished in current state$/;
  request.receiveTimeout = request.sendTimeout = reply.sendTimeout = 0;
  checkError(await rejection(request.receive()), "EFSM", { says });
  checkError(await rejection(reply.send("x")), "EFSM", { says });
  checkError(await rejection(reply.send(["x", "y"])), "EFSM", { says });
  request.receiveTimeout = 10;
  checkError(await rejection(request.receive()), "EFSM", { says });
  request.receiveTimeout = -1;
  request.sendTimeout = -1;
  await request.send("1");
  request.sendTimeout = 0;
  checkError(await rejection(request.send("2")), "EFSM", { says });
  checkError(await rejection(request.send(["2", "3"])), "EFSM", { says });
  assert.equal(await next(reply), ["1"]);
  await reply.send("answer");
  assert.equal(await next(request), ["answer"]);
});

test("without a timeout, Request and Reply wait for their turn", async () => {
  const request = use(new Request({ linger: 0 })), reply = use(new Reply());
  request.connect(await bound(reply));
  const answers: string[] = [];
  const first = next(request).then((answer) => answers.push(...answer));
  const early = reply.send("one");
  assert.ok(await stays(Promise.race([first, early])));
  await request.send("1");
  const second = request.send("2");
  assert.ok(await stays(second));
  assert.equal(await next(reply), ["1"]);
  await within(Promise.all([early, first, second]), "their turns");
  assert.equal(answers, ["one"]);
  assert.equal(await next(reply), ["2"]);
  await reply.send("two");
  assert.equal(await next(request), ["two"]);
});

test("a mandatory Router says EHOSTUNREACH for a stranger", async () => {
  const router = use(new Router({ mandatory: true, linger: 0 }));
  const dealer = use(new Dealer({ linger: 0, routingId: "known" }));
  dealer.connect(await bound(router));
  await dealer.send("hello");
  assert.equal(await next(router), ["known", "hello"]);
  const error = await rejection(router.send(["stranger", "x"]));
  checkError(error, "EHOSTUNREACH", { says: /^Host unreachable$/ });
  await router.send(["known", "still", "there"]);
  assert.equal(await next(dealer), ["still", "there"]);
});

test("readable and writable tell what would wait", async () => {
  for (const transport of TRANSPORTS) {
    const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
    assert.equal([push.writable, pull.readable], [false, false]);
    push.connect(await bound(pull, transport));
    assert.is(push.writable, true, "a connection under way has room");
    await push.send("1");
    await push.send("2");
    assert.equal(await next(pull), ["1"]);
    await within(
      (async () => {
        while (!pull.readable) await new Promise((r) => setTimeout(r, 1));
      })(),
      "readable",
    );
    assert.equal(await next(pull), ["2"]);
    assert.is(pull.readable, false);
  }
});

test("sendHighWaterMark 1: the second send waits until there is room", async () => {
  for (const transport of TRANSPORTS) {
    const push = use(
      new Push({ sendHighWaterMark: 1, sendTimeout: 20, linger: 0 }),
    );
    const pull = use(new Pull({ receiveHighWaterMark: 1 }));
    const address = await bound(use(new Pull()), "tcp");
    void address;
    // Nobody is there yet, so nothing leaves.
    const where = transport === "inproc"
      ? "inproc://later"
      : await (async () => {
        const probe = new Pull();
        const found = await bound(probe, transport);
        await probe.unbind(found);
        probe.close();
        return found;
      })();
    push.connect(where);
    await within(push.send(new Uint8Array(8192)), "the first send");
    if (transport !== "inproc") {
      checkError(await rejection(push.send("second")), "EAGAIN");
    }
    push.sendTimeout = -1;
    await within(pull.bind(where), "bind");
    assert.is((await within(pull.receive(), "first"))[0]!.length, 8192);
    await within(push.send("third"), "a send");
    assert.equal(await next(pull), ["third"]);
  }
});

test("a receiver takes no more ahead than its high-water marks say", async () => {
  const pull = use(new Pull({ receiveHighWaterMark: 2 }));
  const push = use(
    new Push({ sendHighWaterMark: 2, sendTimeout: 0, linger: 0 }),
  );
  // inproc: the sum of both marks is all there is.
  push.connect(await bound(pull, "inproc"));
  let sent = 0;
  const fill = async () => {
    for (;;) {
      try {
        await push.send(String(sent));
        sent++;
      } catch {
        return;
      }
    }
  };
  await fill();
  assert.is(sent, 4);
  assert.equal(await next(pull), ["0"]);
  await fill();
  assert.ok(sent <= 4 + 2 + 1, `${sent} sent, one received`);
  for (let i = 1; i < sent; i++) assert.equal(await next(pull), [String(i)]);
});

test("a Publisher drops for a slow subscriber; noDrop waits instead", async () => {
  const context = new Context();
  const publisher = use(
    new Publisher({ context, noDrop: true, sendHighWaterMark: 3, linger: 0 }),
  );
  const subscriber = use(
    new Subscriber({ context, receiveHighWaterMark: 3 }),
  );
  subscriber.connect(await bound(publisher, "inproc"));
  subscriber.subscribe("");
  let sent = 0;
  let waiting: Promise<void> | undefined;
  while (!waiting && sent < 100) {
    const sending = publisher.send(String(sent));
    if (await stays(sending, 20)) waiting = sending;
    else sent++;
  }
  assert.ok(waiting, "it waits at last");
  assert.equal(await next(subscriber), ["0"]);
  for (let i = 1; i < sent; i++) {
    assert.equal(await next(subscriber), [String(i)]);
  }
  await within(waiting!, "the send");
  assert.equal(await next(subscriber), [String(sent)]);
});

test.run();
