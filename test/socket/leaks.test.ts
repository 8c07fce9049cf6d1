/** What a context holds goes back to nothing; the trace tells what happened. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Proxy, Pull, Push, Router } from "zeromq-wasm";
import {
  bound,
  closeAll,
  freePort,
  next,
  rejection,
  runProgram,
  type Transport,
  TRANSPORTS,
  until,
  use,
  within,
} from "./tools.ts";

const test = suite("leaks");
test.after.each(closeAll);

type Round = (context: Context) => Promise<void>;

const talk = (transport: Transport): Round => async (context) => {
  const pull = new Pull({ context }), push = new Push({ context, linger: 0 });
  push.connect(await bound(pull, transport));
  await push.send(["x", new Uint8Array(100_000), ""]);
  assert.is((await within(pull.receive(), "a message")).length, 3);
  await push.send("left unread");
  pull.close();
  push.close();
};

const ROUNDS: [string, Round][] = [
  ...TRANSPORTS.map((it) => [`talk over ${it}`, talk(it)] as [string, Round]),
  ["observers", async (context) => {
    const pull = new Pull({ context }), push = new Push({ context, linger: 0 });
    const seen = (async () => {
      for await (const _ of pull.events);
    })();
    push.events.on("connect", () => {});
    push.connect(await bound(pull));
    await push.send("x");
    await next(pull);
    push.close();
    pull.close();
    await within(seen, "the end");
  }],
  ["failures", async (context) => {
    const one = new Pull({ context }), two = new Pull({ context });
    const address = await bound(one);
    await rejection(two.bind(address));
    await rejection(two.bind("nonsense"));
    two.connect(`tcp://127.0.0.1:${await freePort()}`);
    two.receiveTimeout = 1;
    await rejection(two.receive());
    const waits = rejection(one.receive());
    one.close();
    two.close();
    await waits;
  }],
  ["sends that never left", async (context) => {
    const push = new Push({ context, sendHighWaterMark: 3, linger: 0 });
    push.connect("tcp://127.0.0.1:1");
    for (let i = 0; i < 3; i++) await push.send(["x", new Uint8Array(50_000)]);
    push.sendTimeout = 1;
    await rejection(push.send(["x", new Uint8Array(50_000)]));
    push.sendTimeout = -1;
    const waits = rejection(push.send(["y", new Uint8Array(50_000)]));
    push.close();
    await waits;
  }],
  ["proxies", async (context) => {
    const front = new Router({ context }), back = new Dealer({ context });
    const client = new Dealer({ context, linger: 0 });
    const server = new Dealer({ context, linger: 0 });
    client.connect(await bound(front));
    server.connect(await bound(back));
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    await client.send("x");
    await next(server);
    proxy.terminate();
    await running;
    client.close();
    server.close();
  }],
];

for (const [name, round] of ROUNDS) {
  test(`nothing is left after rounds of ${name}`, async () => {
    const context = new Context();
    const settled = async () => {
      await until(() => {
        const { sockets, connections, listeners } = context.resources;
        return sockets + connections + listeners === 0;
      }, "all closed");
    };
    for (let i = 0; i < 10; i++) await round(context);
    await settled();
    // Memory of a closed connection goes with the next turns.
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    const before = context.resources.heap;
    for (let i = 0; i < 30; i++) await round(context);
    await settled();
    await until(
      () => context.resources.heap - before < 10_000,
      "less than 10,000 bytes more after 30 rounds",
    );
  });
}

test("what is open is counted", async () => {
  const context = new Context();
  const counts = () => {
    const { sockets, connections, listeners } = context.resources;
    return [sockets, connections, listeners];
  };
  assert.equal(counts(), [0, 0, 0]);
  const pull = use(new Pull({ context }));
  const push = use(new Push({ context, linger: 0 }));
  assert.equal(counts(), [2, 0, 0]);
  push.connect(await bound(pull));
  await push.send("x");
  await next(pull);
  assert.equal(counts(), [2, 2, 1]);
  push.close();
  await until(() => String(counts()) === "1,0,1", "the push socket is gone");
  pull.close();
  await until(() => String(counts()) === "0,0,0", "all is gone");
  const { heap, memory } = context.resources;
  assert.ok(heap > 0 && heap <= memory);
});

// --- the trace

test("a trace tells calls, events and messages", async () => {
  const lines: string[] = [];
  const context = new Context({ trace: (line) => lines.push(line) });
  const pull = use(new Pull({ context }));
  const push = use(new Push({ context, linger: 0 }));
  push.connect(await bound(pull));
  await push.send("x");
  await next(pull);
  push.close();
  const seen = [
    /^call {2}listen\(\d+, 4, "127\.0\.0\.1", 0\) = \d+$/,
    /^call {2}connect\(\d+, 4, "127\.0\.0\.1", \d+/,
    /^call {2}send\(\d+, memory, \d+, \d+, \w+\) = \d+$/,
    /^event connected\(\d+, 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+\)$/,
    /^event incoming\(/,
    /^event input\(\d+, \d+\) = \w+$/,
    /^data {2}send\(/,
    /^data {2}receive\(\d+\) = \[1 bytes\]$/,
  ];
  await until(() => lines.some((line) => /^call {2}close/.test(line)), "close");
  for (const line of seen) {
    assert.ok(
      lines.some((it) => line.test(it)),
      `${line}\n${lines.join("\n")}`,
    );
  }
  assert.ok(lines.every((line) => !line.includes("\n")));
});

test("ZEROMQ_WASM_TRACE=1 prints it to stderr, and nothing does without", async () => {
  const program = `
    const a = new z.Pair(), b = new z.Pair({ linger: 0 });
    await a.bind("tcp://127.0.0.1:*");
    b.connect(a.lastEndpoint);
    await b.send("x");
    await a.receive();
    a.close(); b.close();`;
  for (const [value, wanted] of [["1", true], ["0", false], ["", false]]) {
    const env = { ZEROMQ_WASM_TRACE: value as string };
    const { code, err, out } = await runProgram(program, { env });
    assert.is(code, 0);
    assert.is(out, "");
    if (wanted) assert.match(err, /^\d+\.\d{3} call {2}listen\(/m);
    else assert.is(err, "");
  }
});

test("what a trace throws is the program's, and the context lives on", async () => {
  const program = `
    import process from "node:process";
    const caught = [];
    process.on("uncaughtException", (error) => caught.push(error.message));
    let lines = 0;
    const trace = () => { throw new Error(String(lines++)); };
    const context = new z.Context({ trace });
    const a = new z.Pair({ context }), b = new z.Pair({ context, linger: 0 });
    await a.bind("tcp://127.0.0.1:*");
    b.connect(a.lastEndpoint);
    await b.send("x");
    const [message] = await a.receive();
    a.close(); b.close();
    while (context.resources.sockets > 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const all = Array.from({ length: lines }, (_, i) => String(i));
    console.log(String(message), lines > 10, String(caught) === String(all));`;
  const { code, err, out } = await runProgram(program);
  assert.equal([code, err, out], [0, "", "x true true\n"]);
  // Where nobody is told of it, the process ends of it.
  const failed = await runProgram(`
    const trace = (line) => { throw new Error("trace of " + line); };
    const socket = new z.Pair({ context: new z.Context({ trace }) });
    // Not awaited here, where Bun would not end.
    void socket.bind("tcp://127.0.0.1:*").then(() => socket.receive());`);
  assert.is.not(failed.code, 0);
  assert.match(failed.err, /trace of call {2}listen/);
});

test.run();
