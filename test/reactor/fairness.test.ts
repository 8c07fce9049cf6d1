/** A busy library lets the program run; an idle one does nothing. */
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Event, Pair, Proxy, Pull, Push, Subscriber } from "zeromq-wasm";
import {
  bound,
  closeAll,
  isDeno,
  next,
  pause,
  type Transport,
  TRANSPORTS,
  until,
  use,
  within,
} from "../socket/tools.ts";

const test = suite("fairness");
test.after.each(closeAll);

/**
 * How often the event loop turned while `work` ran. An interval of 0 ms would be
 * the user's measure, but it fires once in a millisecond at most.
 */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let immediate = setImmediate(function turn() {
    turns++;
    immediate = setImmediate(turn);
  });
  try {
    await within(work(), "the work");
  } finally {
    clearImmediate(immediate);
  }
  return turns;
}

/** How often an interval fired while `work` ran. */
async function ticksDuring(work: () => Promise<unknown>): Promise<number> {
  let ticks = 0;
  const interval = setInterval(() => ticks++, 0);
  try {
    await within(work(), "the work");
  } finally {
    clearInterval(interval);
  }
  return ticks;
}

async function pushPull(transport: Transport = "tcp") {
  const pull = use(new Pull({ receiveHighWaterMark: 0 }));
  const push = use(new Push({ sendHighWaterMark: 0, linger: 0 }));
  push.connect(await bound(pull, transport));
  return [push, pull] as const;
}

for (const transport of TRANSPORTS) {
  test(`2500 sends over ${transport}, and receives, take turns with others`, async () => {
    const [push, pull] = await pushPull(transport);
    const sending = await turnsDuring(async () => {
      for (let i = 0; i < 2500; i++) await push.send("x");
    });
    assert.ok(sending >= 3, `${sending} turns`);
    const receiving = await turnsDuring(async () => {
      for (let i = 0; i < 2500; i++) await pull.receive();
    });
    assert.ok(receiving >= 3, `${receiving} turns`);
  });

  test(`a saturated pair over ${transport} leaves turns for others`, async () => {
    const [push, pull] = await pushPull(transport);
    let over = false;
    let count = 0;
    const sending = (async () => {
      while (!over) await push.send(["some", "message"]);
    })();
    const receiving = (async () => {
      for await (const _ of pull) count++;
    })();
    let longest = 0;
    const ticks = await ticksDuring(async () => {
      const end = performance.now() + 400;
      for (let last = performance.now(); last < end || count < 1000;) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
      }
    });
    over = true;
    await sending;
    pull.close();
    await receiving;
    assert.ok(ticks >= 8, `${ticks} ticks`);
    assert.ok(longest < 250, `a turn of ${longest} ms`);
  });
}

test("large messages leave turns for others", async () => {
  const [push, pull] = await pushPull();
  const body = new Uint8Array(1 << 20);
  const ticks = await ticksDuring(async () => {
    const receiving = (async () => {
      for (let i = 0; i < 100; i++) await pull.receive();
    })();
    for (let i = 0; i < 100; i++) await push.send(body);
    await receiving;
  });
  assert.ok(ticks >= 5, `${ticks} ticks for 100 MiB`);
});

test("a saturated proxy leaves turns for others", async () => {
  const front = use(new Pull()), back = use(new Push({ linger: 0 }));
  const push = use(new Push({ linger: 0 })), pull = use(new Pull());
  push.connect(await bound(front, "inproc"));
  pull.connect(await bound(back, "inproc"));
  const proxy = new Proxy(front, back);
  const running = proxy.run();
  const ticks = await ticksDuring(async () => {
    const receiving = (async () => {
      for (let i = 0; i < 20_000; i++) await pull.receive();
    })();
    for (let i = 0; i < 20_000; i++) await push.send("x");
    await receiving;
  });
  proxy.terminate();
  await running;
  assert.ok(ticks >= 5, `${ticks}`);
});

test("a connection refused over and over does not spin", async () => {
  const socket = use(new Pair({ linger: 0, reconnectInterval: 20 }));
  const seen: Event["type"][] = [];
  socket.events.on("connect:retry", ({ type }) => seen.push(type));
  socket.connect("tcp://127.0.0.1:1");
  await until(() => seen.length > 0, "the first attempt has failed");
  const began = performance.now(), before = seen.length;
  await pause(500);
  const ms = performance.now() - began, more = seen.length - before;
  assert.ok(more <= ms / 20 + 5, `${more} in ${ms} ms`);
});

test("idle sockets take no CPU time", async () => {
  const pull = use(new Pull()), subscriber = use(new Subscriber());
  const push = use(new Push({ linger: 0 }));
  const address = await bound(pull);
  push.connect(address);
  await push.send("x");
  assert.equal(await next(pull), ["x"]);
  void subscriber.receive().catch(() => {});
  void pull.receive().catch(() => {});
  await pause(100);
  const before = process.cpuUsage();
  await pause(1000);
  const { user, system } = process.cpuUsage(before);
  // Compilers and collectors in the background have their share; a spin takes it all.
  const busy = (user + system) / 1e6;
  assert.ok(busy < 0.4, `${busy} s of CPU in an idle second, Deno: ${isDeno}`);
});

test.run();
