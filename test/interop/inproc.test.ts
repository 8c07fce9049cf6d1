/** inproc: among our own sockets of one context, with every pair of roles. */
import * as assert from "uvu/assert";
import { suite } from "uvu";
import {
  Context,
  Dealer,
  Pair,
  Pull,
  Push,
  Reply,
  Request,
  Router,
} from "zeromq-wasm";
import { failure, until, within } from "../support/deadline.ts";
import { type End, Ours, same, type TypeName } from "../support/ends.ts";
import { checkLeaks } from "../support/leaks.ts";

const test = suite("inproc");
checkLeaks(test);

let names = 0;
const fresh = () => `inproc://interop-${++names}`;

const PAIRS: [a: TypeName, b: TypeName][] = [
  ["PAIR", "PAIR"],
  ["DEALER", "DEALER"],
  ["PUSH", "PULL"],
  ["DEALER", "REP"],
  ["PUB", "SUB"],
];

for (const [a, b] of PAIRS) {
  for (const binder of [a, b]) {
    for (const bindFirst of [true, false]) {
      const what = `${a} to ${b}, ${binder === a ? "first" : "second"} binds ` +
        (bindFirst ? "first" : "last");
      test(what, async () => {
        const ends: [End, End] = [new Ours(a), new Ours(b)];
        const [from, to] = ends;
        const [binds, connects] = binder === a ? ends : [to, from];
        const address = fresh();
        try {
          if (b === "SUB") await to.subscribe("");
          if (bindFirst) await binds.bind(address);
          await connects.connect(address);
          if (!bindFirst) await binds.bind(address);
          const message = b === "REP" ? ["", what] : [what];
          const arrived = within(to.receive(), what);
          // Only a PUB drops what is sent before the subscription has come.
          let done = false;
          arrived.finally(() => done = true).catch(() => {});
          await until(async () => {
            if (!done) await from.send(message);
            return b !== "SUB" || done;
          }, what);
          same(await arrived, [what], what);
        } finally {
          await from.close();
          await to.close();
        }
      });
    }
  }
}

test("a message sent before anybody binds", async () => {
  const push = new Push({ linger: 0 });
  const pull = new Pull({ linger: 0 });
  const address = fresh();
  push.connect(address);
  for (const n of ["1", "2", "3"]) await push.send(n);
  await pull.bind(address);
  for (const n of ["1", "2", "3"]) {
    assert.is(String(await within(pull.receive(), n)), n);
  }
  push.close();
  pull.close();
});

test("a request through a router and a dealer", async () => {
  const request = new Request({ linger: 0 });
  const reply = new Reply({ linger: 0 });
  const router = new Router({ linger: 0 });
  const dealer = new Dealer({ linger: 0 });
  const front = fresh(), back = fresh();
  request.connect(front);
  reply.connect(back);
  await router.bind(front);
  await dealer.bind(back);
  await request.send("question");
  await dealer.send(await within(router.receive(), "request at the router"));
  const [question] = await within(reply.receive(), "request");
  await reply.send([question!, "answer"]);
  await router.send(await within(dealer.receive(), "reply at the dealer"));
  const answer = await within(request.receive(), "reply");
  assert.equal(answer.map(String), ["question", "answer"]);
  for (const socket of [request, reply, router, dealer]) socket.close();
});

test("names are of one context", async () => {
  const address = fresh();
  const here = new Pair({ linger: 0 });
  const there = new Pair({ linger: 0, context: new Context() });
  await here.bind(address);
  // The same name is free in the other context, and taken in this one.
  await there.bind(address);
  const other = new Pair({ linger: 0 });
  const error = await failure(() => other.bind(address), "bind twice");
  assert.is(error.code, "EADDRINUSE");
  for (const socket of [here, there, other]) socket.close();
});

test("a name is free again after close", async () => {
  const address = fresh();
  for (let i = 0; i < 3; i++) {
    const pair = new Pair({ linger: 0 });
    await until(
      () => pair.bind(address).then(() => true, () => false),
      "bind to a name that was given up",
    );
    pair.close();
  }
});

test("back-pressure: the queues of both ends together", async () => {
  const push = new Push({ linger: 0, sendHighWaterMark: 3, sendTimeout: 0 });
  const pull = new Pull({ linger: 0, receiveHighWaterMark: 4 });
  const address = fresh();
  await pull.bind(address);
  push.connect(address);
  let sent = 0;
  const full = await failure(async () => {
    while (sent < 100) {
      await push.send(`${sent}`);
      sent++;
    }
  }, "the queue fills up");
  assert.is(full.code, "EAGAIN");
  assert.is(sent, 7);
  for (let i = 0; i < sent; i++) {
    assert.is(String(await within(pull.receive(), `${i}`)), `${i}`);
  }
  await until(
    () => push.send("more").then(() => true, () => false),
    "room after reading",
  );
  push.close();
  pull.close();
});

test.run();
