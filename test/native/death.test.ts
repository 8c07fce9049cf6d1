/** libzmq gives up: by an assertion, a trap, or for want of memory. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Proxy, Pull, Push, Router } from "zeromq-wasm";
import { coreOf } from "../../ts/socket/context.ts";
import { Context as InnerContext } from "../../ts/socket/context.ts";
import * as inner from "../../ts/mod.ts";
import {
  bound,
  closeAll,
  freePort,
  next,
  pause,
  rejection,
  runProgram,
  thrown,
  until,
  use,
  within,
} from "../socket/tools.ts";

const test = suite("death");
test.after.each(closeAll);

/** Ways to kill an instance, and what the error must say. */
const DEATHS: [string, (context: InnerContext) => void, RegExp][] = [
  ["an assertion", (context) => {
    const { reactor } = coreOf(context);
    // Zeros are no message.
    reactor.instance.memory.withSpace(
      64,
      (ptr) => reactor.call("zmq_msg_data", ptr),
    );
  }, /Assertion failed: check \(\) \(.*msg\.cpp:\d+\)/],
  ["a call through a wild pointer", (context) => {
    const { reactor, pointer } = coreOf(context);
    const socket = reactor.call("zw_socket", pointer, 0, 99);
    reactor.instance.memory.words[socket >> 2] = 0;
    reactor.call("zw_events", socket);
  }, /function|table|out of bounds|call_indirect/i],
  ["memory out of bounds", (context) => {
    coreOf(context).reactor.call("zmq_msg_size", 0x7ffffff0);
  }, /out of bounds/i],
];

for (const [name, kill, says] of DEATHS) {
  test(`${name} is one clear error for everything pending`, async () => {
    const context = new InnerContext();
    const make = <T extends { close(): void }>(socket: T) => use(socket);
    const pull = make(new inner.Pull({ context }));
    const push = make(new inner.Push({ context }));
    const router = make(new inner.Router({ context }));
    const dealer = make(new inner.Dealer({ context }));
    const [front, back] = [
      make(new inner.Pull({ context })),
      make(new inner.Push({ context })),
    ];
    for (const socket of [pull, router, front, back]) await bound(socket);
    const events: Promise<unknown>[] = [];
    events.push(dealer.events.receive());
    // One that listens must not bring the process down.
    router.events.on("end", () => {});
    const iterating = (async () => {
      for await (const _ of router) assert.unreachable();
    })();
    const pending = [
      pull.receive(),
      push.send(["a", "b"]),
      dealer.receive(),
      dealer.send("x"),
      iterating,
      new inner.Proxy(front, back).run(),
      make(new inner.Pull({ context })).bind("tcp://127.0.0.1:*"),
      ...events,
    ];
    const caught = pending.map((promise, i) =>
      rejection(promise, `${name}, ${i}`)
    );
    assert.throws(() => kill(context));
    const errors = await Promise.all(caught);
    for (const error of errors) {
      assert.is(error, errors[0], String(error.stack));
      assert.match(error.message, /^libzmq failed: /);
      assert.match(error.message, says);
    }
    // Whatever is tried later says the same; closing works.
    for (
      const call of [
        () => pull.receive(),
        () => push.send("x"),
        () => push.connect("tcp://127.0.0.1:1"),
        () => pull.bind("tcp://127.0.0.1:*"),
        () => push.linger,
        () => new inner.Pull({ context }),
      ]
    ) assert.is(thrown(call), errors[0], String(call));
    dealer.events.close();
    for (const socket of [pull, push, router, dealer]) {
      socket.close();
      assert.is(socket.closed, true);
      assert.is(socket.readable, false);
    }
    // A new context works, in the same process.
    const other = new InnerContext();
    const a = make(new inner.Pull({ context: other }));
    const b = make(new inner.Push({ context: other, linger: 0 }));
    b.connect(await bound(a));
    await b.send("alive");
    assert.equal(await next(a), ["alive"]);
  });
}

test("a death while a connection comes in is no exception of the program", () => {
  const context = new InnerContext();
  const pull = use(new inner.Pull({ context }));
  const { reactor } = coreOf(context);
  const exports = {
    ...reactor.instance.exports,
    zw_incoming(): never {
      throw new WebAssembly.RuntimeError("unreachable");
    },
  };
  Object.assign(reactor.instance, { exports });
  assert.is(reactor.incoming(16, undefined, undefined), -1);
  assert.match(thrown(() => pull.receive()).message, /^libzmq failed: /);
});

test("a dead context lets go of its connections and listeners", async () => {
  const context = new InnerContext();
  const address = `tcp://127.0.0.1:${await freePort()}`;
  const pull = use(new inner.Pull({ context }));
  await pull.bind(address);
  const { fds } = coreOf(context).reactor.instance;
  const push = use(new Push({ linger: 0 }));
  const lost = new Promise((resolve) => push.events.on("disconnect", resolve));
  push.connect(address);
  await push.send("x");
  assert.equal(await next(pull), ["x"]);
  const binding = use(new inner.Pull({ context })).bind("tcp://127.0.0.1:*");
  const failed = rejection(binding);
  assert.throws(() => coreOf(context).reactor.call("zmq_msg_size", 0x7ffffff0));
  await failed;
  assert.is(fds.connections, 0);
  assert.is(fds.listeners, 0);
  // The peer, in another context, goes on with whoever listens there.
  await within(lost, "the end of the connection");
  const again = use(new Pull());
  await until(() => again.bind(address).then(() => true, () => false), "bind");
  const received = next(again);
  // What it sends before it notices is lost.
  let done = false;
  void received.finally(() => done = true).catch(() => {});
  while (!done) {
    await push.send("y");
    await pause(5);
  }
  assert.equal(await received, ["y"]);
});

test("when the memory is used up, one error, and a new context works", async () => {
  const context = new Context({ memoryLimit: 6 * 2 ** 20 });
  const pull = use(new Pull({ context }));
  const push = use(new Push({ context, sendHighWaterMark: 0, linger: 0 }));
  push.connect(await bound(pull));
  const other = use(new Router({ context }));
  const pending = rejection(other.receive(), "a pending receive");
  const fill = async () => {
    for (let i = 0; i < 100_000; i++) {
      // Large, small, and of several frames.
      await push.send(new Uint8Array(20_000));
      await push.send("small");
      await push.send(["a", new Uint8Array(5000), "b"]);
    }
  };
  const error = await rejection(fill(), "filling");
  assert.instance(error, Error);
  if (error.code === "ENOMEM") {
    assert.match(error.message, /memory/);
  } else {
    assert.match(error.message, /^libzmq failed: .*(memory|alloc|NULL)/);
    assert.is(await pending, error);
  }
  other.close();
  const a = use(new Dealer()), b = use(new Dealer({ linger: 0 }));
  b.connect(await bound(a));
  await b.send(new Uint8Array(8 * 2 ** 20));
  assert.is((await within(a.receive(), "8 MiB"))[0]!.length, 8 * 2 ** 20);
});

test("who makes sockets until there is no memory is told so, and of the limit", () => {
  // Where the last of it is asked for differs: by malloc, or by new.
  for (let limit = 4_500_000; limit < 5_000_000; limit += 100_000) {
    const context = new Context({ memoryLimit: limit, maxSockets: 10_000 });
    const sockets: Dealer[] = [];
    const error = thrown(() => {
      for (;;) sockets.push(new Dealer({ context, linger: 0 }));
    });
    assert.match(error.message, /^libzmq failed: .*OUT OF MEMORY/);
    assert.match(error.message, `memoryLimit of the context is ${limit} bytes`);
    assert.is(thrown(() => sockets[0]!.connect("tcp://127.0.0.1:1")), error);
    for (const socket of sockets) socket.close();
  }
});

test("one message larger than the limit is refused, no harm done", async () => {
  const context = new Context({ memoryLimit: 8 * 2 ** 20 });
  const pull = use(new Pull({ context }));
  const push = use(new Push({ context, linger: 0 }));
  push.connect(await bound(pull));
  for (const size of [9 * 2 ** 20, 2 ** 30]) {
    const before = context.resources.heap;
    const error = await rejection(push.send(["head", new Uint8Array(size)]));
    assert.is(error.code, "ENOMEM");
    assert.ok(context.resources.heap - before < 1024);
    await push.send(["good", "one"]);
    assert.equal(await next(pull), ["good", "one"]);
  }
});

test("a memoryLimit of nonsense is a RangeError", () => {
  for (const memoryLimit of [-1, 1, 2 ** 20, NaN, "x"]) {
    assert.throws(
      () => new Context({ memoryLimit: memoryLimit as number }),
      (error: Error) => error instanceof RangeError,
      String(memoryLimit),
    );
  }
});

test("a proxy over a dead context ends", async () => {
  const context = new InnerContext();
  const [front, back] = [
    use(new inner.Router({ context })),
    use(new inner.Dealer({ context })),
  ];
  await bound(front);
  await bound(back);
  const proxy = new inner.Proxy(front, back);
  const running = rejection(proxy.run());
  assert.throws(() => coreOf(context).reactor.call("zmq_msg_size", 0x7ffffff0));
  assert.match((await running).message, /^libzmq failed/);
  assert.is(thrown(() => proxy.terminate()).code, "EBADF");
  assert.ok(front.closed && back.closed);
  assert.ok(Proxy);
});

test("a process whose libzmq ran out of memory ends by itself", async () => {
  const { code, out, err } = await runProgram(`
    const context = new z.Context({ memoryLimit: 5 * 2 ** 20 });
    const pull = new z.Pull({ context });
    const push = new z.Push({ context, sendHighWaterMark: 0 });
    await pull.bind("inproc://x");
    push.connect("inproc://x");
    try {
      for (;;) await push.send("x".repeat(1000));
    } catch (error) {
      console.log(error instanceof Error, pull.closed);
    }`);
  assert.is(code, 0, err);
  assert.is(out, "true false\n");
});

test.run();
