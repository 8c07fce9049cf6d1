// deno: --unstable-net
/** AbortSignals: before, during and after each operation that takes one. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pull, Push, Reply, Request } from "zeromq-wasm";
import { Dish, Radio } from "zeromq-wasm/draft";
import { memoryHost } from "../host/memory_host.ts";
import {
  anywhere,
  bound,
  checkError,
  closeAll,
  freePort,
  next,
  rejection,
  stays,
  thrown,
  TRANSPORTS,
  until,
  use,
  within,
} from "./tools.ts";

const test = suite("abort");
test.after.each(closeAll);

/** A signal that counts who listens to it. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  const add = signal.addEventListener, remove = signal.removeEventListener;
  const heard = new Set<unknown>();
  Object.assign(signal, {
    addEventListener(type: string, listener: () => void) {
      heard.add(listener);
      add.call(signal, type, listener);
    },
    removeEventListener(type: string, listener: () => void) {
      heard.delete(listener);
      remove.call(signal, type, listener);
    },
  });
  return { controller, signal, heard };
}

type Options = { signal: AbortSignal };

/** Operations that would wait for ever. */
const WAITS: [string, () => (options: Options) => Promise<unknown>][] = [
  ["send", () => {
    const push = use(new Push());
    return (options) => push.send("x", options);
  }],
  ["sendMany", () => {
    const push = use(new Push());
    return (options) => push.sendMany(["x", "y"], options);
  }],
  ["sendJSON", () => {
    const push = use(new Push());
    return (options) => push.sendJSON({}, options);
  }],
  ...([
    "receive",
    "receiveMany",
    "receiveText",
    "receiveJSON",
    "receiveWithProperties",
  ] as const).map((
    name,
  ): (typeof WAITS)[number] => [name, () => {
    const pull = use(new Pull());
    return (options) => pull[name](options);
  }]),
  ["send of a Radio", () => {
    const radio = use(new Radio({ noDrop: true, sendHighWaterMark: 1 }));
    const dish = use(new Dish({ receiveHighWaterMark: 1 }));
    dish.join("g");
    const address = anywhere("inproc");
    const ready = dish.bind(address).then(() => radio.connect(address));
    return async ({ signal }) => {
      await ready;
      for (;;) await radio.send("x", { group: "g", signal });
    };
  }],
  ["receive of a Dish", () => {
    const dish = use(new Dish());
    return (options) => dish.receive(options);
  }],
];

for (const [name, make] of WAITS) {
  test(`${name}: aborted before`, async () => {
    const reason = new Error("too late");
    const call = make();
    assert.is(
      await rejection(call({ signal: AbortSignal.abort(reason) })),
      reason,
    );
  });

  for (const bad of [new AbortController(), {}, "x", 5, null]) {
    test(`${name}: what is no signal, ${typeof bad} ${bad}`, async () => {
      const call = make();
      const options = { signal: bad } as unknown as Options;
      const error = await rejection((async () => await call(options))());
      assert.instance(error, TypeError);
      assert.match(error.message, /^signal must be an AbortSignal: /);
      // Nothing of it is left.
      const controller = new AbortController();
      const waiting = call({ signal: controller.signal });
      controller.abort(5);
      assert.is(await rejection(waiting), 5);
    });
  }

  test(`${name}: aborted while it waits`, async () => {
    const { controller, signal, heard } = counted();
    const call = make();
    const waiting = call({ signal });
    assert.ok(await stays(waiting, 20));
    assert.is(heard.size, 1);
    const reason = { any: "value" };
    controller.abort(reason);
    assert.is(await rejection(waiting), reason);
    assert.is(heard.size, 0);
    // The socket is free for the next one.
    assert.ok(await stays(call({ signal: new AbortController().signal }), 20));
  });
}

test("without a reason it is an AbortError; a timeout is a TimeoutError", async () => {
  const pull = use(new Pull());
  const { controller, signal } = counted();
  const waiting = pull.receive({ signal });
  controller.abort();
  assert.is((await rejection(waiting)).name, "AbortError");
  const late = pull.receive({ signal: AbortSignal.timeout(5) });
  assert.is((await rejection(late)).name, "TimeoutError");
});

test("what was aborted takes and sends nothing", async () => {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  const { controller, signal, heard } = counted();
  const sending = push.send("never", { signal });
  const receiving = pull.receive({ signal });
  controller.abort();
  await Promise.allSettled([sending, receiving]);
  push.connect(await bound(pull));
  await push.send("x");
  assert.equal(await next(pull), ["x"]);
  assert.is(heard.size, 0);
});

test("a signal that is aborted later does nothing, and is not listened to", async () => {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  const { controller, signal, heard } = counted();
  await pull.bind("tcp://127.0.0.1:*", { signal });
  push.connect(pull.lastEndpoint!);
  for (let i = 0; i < 100; i++) {
    const received = pull.receive({ signal });
    await push.send("x", { signal });
    await within(received, "a message");
  }
  assert.is(heard.size, 0);
  controller.abort();
  await push.send("y");
  assert.equal(await next(pull), ["y"]);
});

test("bind: aborted before, it throws and rejects as ever, and binds nothing", async () => {
  const context = new Context();
  const pull = use(new Pull({ context }));
  const reason = new Error("too late");
  const signal = AbortSignal.abort(reason);
  for (const transport of TRANSPORTS) {
    const address = anywhere(transport);
    assert.is(await rejection(pull.bind(address, { signal })), reason);
    checkError(await rejection(pull.unbind(address)), "ENOENT", { address });
  }
  assert.is(context.resources.listeners, 0);
  assert.is(pull.lastEndpoint, null);
  const address = await bound(pull);
  const binding = pull.bind(anywhere("tcp"));
  checkError(thrown(() => pull.bind(address, { signal })), "EBUSY");
  await binding;
  pull.close();
  checkError(thrown(() => pull.bind(address, { signal })), "EBADF");
});

for (const transport of TRANSPORTS) {
  test(`bind ${transport}: aborted during it`, async () => {
    const context = new Context();
    const reply = use(new Reply({ context }));
    const address = transport === "tcp"
      ? `tcp://127.0.0.1:${await freePort()}`
      : anywhere(transport);
    const { controller, signal, heard } = counted();
    const binding = reply.bind(address, { signal });
    const reason = new Error("changed my mind");
    controller.abort(reason);
    // Nothing else can be done until it has ended.
    checkError(thrown(() => reply.connect(address)), "EBUSY");
    assert.is(await rejection(binding), reason);
    assert.is(heard.size, 0);
    assert.is(context.resources.listeners, 0);
    checkError(await rejection(reply.unbind(address)), "ENOENT", { address });
    // The address is free, for this socket too.
    await within(reply.bind(address, {}), "bind again");
    const request = use(new Request({ context, linger: 0 }));
    request.connect(address);
    await request.send("x");
    assert.equal(await next(reply), ["x"]);
  });
}

test("bind: aborted during it, by turns of the event loop", async () => {
  const context = new Context();
  for (let turns = 0; turns < 6; turns++) {
    const pull = use(new Pull({ context }));
    const controller = new AbortController();
    const binding = pull.bind("tcp://127.0.0.1:*", controller);
    for (let i = 0; i < turns; i++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    controller.abort();
    const listens = await within(
      binding.then(() => true, () => false),
      "an end",
    );
    assert.is(context.resources.listeners, listens ? 1 : 0, `${turns} turns`);
    pull.close();
    await until(() => context.resources.sockets === 0, "no socket");
    assert.is(context.resources.listeners, 0);
  }
});

test("bind: a name that nobody resolves does not hold up the abort", async () => {
  const host = memoryHost();
  const context = new Context({
    host: { ...host, resolve: () => new Promise(() => {}) },
  });
  const pull = use(new Pull({ context }));
  const { controller, signal, heard } = counted();
  const binding = pull.bind("tcp://name.example:1", { signal });
  assert.ok(await stays(binding, 20));
  controller.abort();
  assert.is((await rejection(binding)).name, "AbortError");
  assert.is(heard.size, 0);
  await within(pull.bind("tcp://10.0.0.1:*"), "another bind");
});

test("bind: aborted and closed", async () => {
  const context = new Context();
  const pull = use(new Pull({ context }));
  const controller = new AbortController();
  const binding = pull.bind("ipc://*", controller);
  pull.close();
  controller.abort();
  assert.is((await rejection(binding)).name, "AbortError");
  assert.is(pull.closed, true);
  await until(() => context.resources.sockets === 0, "no socket");
  assert.is(context.resources.listeners, 0);
});

test("bind udp: aborted during it", async () => {
  const context = new Context();
  const dish = use(new Dish({ context }));
  const controller = new AbortController();
  const binding = dish.bind("udp://127.0.0.1:*", controller);
  controller.abort();
  assert.is((await rejection(binding)).name, "AbortError");
  assert.is(context.resources.connections, 0);
  await within(dish.bind("udp://127.0.0.1:*"), "another bind");
  assert.is(context.resources.connections, 1);
});

test.run();
