/** How the sockets of a program affect its end. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import process from "node:process";
import { Dealer, Pull } from "zeromq-wasm";
import {
  bound,
  closeAll,
  type Ended,
  freePort,
  next,
  runProgram,
  stays,
  use,
  within,
} from "./tools.ts";

const test = suite("exit");
test.after.each(closeAll);

const WARNING = /waiting for queued ZeroMQ messages to be delivered/;

/** Ended by itself and said nothing on stderr. */
function quiet({ code, signal, err }: Ended) {
  assert.is(err, "");
  assert.equal([code, signal], [0, null]);
}

test("idle sockets, connected or not, do not keep the process alive", async () => {
  const pull = use(new Pull());
  const address = await bound(pull);
  const { out, ...rest } = await runProgram(`
    const reply = new z.Reply(), request = new z.Request();
    await reply.bind("tcp://127.0.0.1:*");
    request.connect(reply.lastEndpoint);
    await request.send("x");
    await reply.receive();
    await reply.send("y");
    await request.receive();
    new z.Subscriber().connect(${JSON.stringify(address)});
    await new z.Router().bind("ipc://*");
    new z.Pair().connect("tcp://127.0.0.1:1");
    reply.events.on; new z.Dealer().events;
    console.log("ready");`);
  quiet({ out, ...rest });
  assert.is(out, "ready\n");
});

for (
  const [what, wait] of [
    ["receive", "new z.Pull().receive()"],
    ["send", "new z.Push().send('x')"],
    // Held: it does not keep its socket from being collected.
    ["receive of events", "(globalThis.held = new z.Pull()).events.receive()"],
    ["for await", "(async () => { for await (const _ of new z.Pull()); })()"],
  ] as const
) {
  test(`a pending ${what} keeps the process alive until it is closed`, async () => {
    let pid: number | undefined;
    const child = runProgram(`console.log("ready"); await ${wait};`, {
      started: (it) => pid = it,
    });
    await within(
      (async () => {
        while (pid === undefined) await stays(new Promise(() => {}), 5);
      })(),
      "the start",
    );
    assert.ok(await stays(child, 300), "it waits");
    process.kill(pid!, "SIGINT");
    const { signal, code } = await child;
    // The default action of the signal.
    assert.ok(signal === "SIGINT" || code === 130, `${signal} ${code}`);
  });
}

test("a timeout ends the wait, and then the process", async () => {
  const ended = await runProgram(`
    console.log("ready");
    const late = await new z.Pull({ receiveTimeout: 50 }).receive()
      .catch((e) => e);
    console.log(late.code);`);
  quiet(ended);
  assert.match(ended.out, /EAGAIN/);
});

test("queued messages are delivered before the exit", async () => {
  const pull = use(new Pull());
  const address = JSON.stringify(await bound(pull));
  const cases = {
    "open socket": `const push = new z.Push();`,
    "closed socket":
      `const push = new z.Push(); setImmediate(() => push.close());`,
    "closed at once": `const push = new z.Push(); queueMicrotask(() => {});`,
    "own context": `const push = new z.Push({ context: new z.Context() });`,
  };
  for (const [name, make] of Object.entries(cases)) {
    const child = runProgram(`
      ${make}
      push.connect(${address});
      for (let i = 0; i < 900; i++) push.send(["${name}", i]);
      ${name === "closed at once" ? "push.close();" : ""}
      console.log("ready");`);
    for (let i = 0; i < 900; i++) {
      assert.equal(await next(pull, name), [name, String(i)]);
    }
    quiet(await child);
  }
});

test("large messages reach a slow reader before the exit", async () => {
  const pull = use(new Pull({ receiveHighWaterMark: 1 }));
  const address = JSON.stringify(await bound(pull));
  const child = runProgram(`
    const push = new z.Push();
    push.connect(${address});
    for (let i = 0; i < 10; i++) await push.send(new Uint8Array(2e6).fill(i));
    console.log("ready");`);
  for (let i = 0; i < 10; i++) {
    const [frame] = await within(pull.receive(), `message ${i}`);
    assert.is(frame!.length, 2e6);
    assert.is(frame![1_999_999], i);
    await stays(new Promise(() => {}), 5);
  }
  const { code } = await child;
  assert.is(code, 0);
});

test("messages wait for a peer that comes later, with a word to the user", async () => {
  const port = await freePort();
  for (const blocky of [true]) {
    let begun = () => {};
    const started = new Promise<void>((resolve) => begun = resolve);
    const child = runProgram(
      `
      const push = new z.Push({ reconnectInterval: 20 });
      push.connect("tcp://127.0.0.1:${port}");
      push.send("late");
      console.log("ready");`,
      { started: begun },
    );
    await started;
    assert.ok(await stays(child, 1200), "it waits");
    const pull = use(new Pull());
    await pull.bind(`tcp://127.0.0.1:${port}`);
    assert.equal(await next(pull), ["late"]);
    const { code, err } = await child;
    assert.is(code, 0);
    assert.match(err, WARNING);
    assert.is(err.match(/waiting/g)!.length, 1, "said once");
    if (blocky) assert.match(err, /Set 'context.blocky = false'/);
  }
});

test("linger says how long messages wait for nobody", async () => {
  const port = await freePort();
  const nobody = `tcp://127.0.0.1:${port}`;
  const cases: [string, string, number, number][] = [
    ["linger 0", "new z.Push({ linger: 0 })", 0, 5000],
    ["linger 300", "new z.Push({ linger: 300 })", 250, 8000],
    [
      "blocky false",
      "new z.Push({ context: new z.Context({ blocky: false }) })",
      0,
      5000,
    ],
  ];
  for (const [name, make, least, most] of cases) {
    const ended = await runProgram(`
      const push = ${make};
      push.connect("${nobody}");
      await push.send("lost");
      console.log("ready");`);
    quiet(ended);
    const { took } = ended;
    // From the first output, which is read some time after it was written.
    assert.ok(took >= least - 150 && took < most, `${name}: ${took} ms`);
  }
});

test("a close with linger ends the wait of the socket only", async () => {
  const pull = use(new Pull());
  const address = JSON.stringify(await bound(pull));
  // More than one: on Bun every third waited for ever for what it had read.
  const children = Array.from({ length: 6 }, () =>
    runProgram(`
    const lost = new z.Push({ linger: 0 });
    lost.connect("tcp://127.0.0.1:1");
    lost.send("lost");
    lost.close();
    const push = new z.Push();
    push.connect(${address});
    push.send("kept");
    console.log("ready");`));
  for (let i = 0; i < children.length; i++) {
    assert.equal(await next(pull), ["kept"]);
  }
  for (const child of children) quiet(await child);
});

const BOUND = `
  const pull = new z.Pull(), address = "tcp://127.0.0.1:*";
  await pull.bind(address);
  const push = new z.Push();
  push.connect(pull.lastEndpoint);`;
for (
  const [what, program] of Object.entries({
    "a message": `${BOUND}
      await push.send("x");`,
    "many messages": `${BOUND}
      for (let i = 0; i < 500; i++) await push.send(["x", new Uint8Array(3000)]);`,
    "what a closed socket sends": `${BOUND}
      await push.send("x");
      push.close();`,
    "a request": `
      const reply = new z.Reply(), request = new z.Request();
      await reply.bind("ipc://*");
      request.connect(reply.lastEndpoint);
      await request.send("x");`,
    "what another context sends": `
      const context = new z.Context(), reply = new z.Dealer();
      const request = new z.Dealer({ context });
      await reply.bind("tcp://127.0.0.1:*");
      request.connect(reply.lastEndpoint);
      await request.send("x");
      await request.send("x");`,
    "a connection that is tried again": `
      const pull = new z.Pull(), push = new z.Push();
      await pull.bind("tcp://127.0.0.1:*");
      const address = pull.lastEndpoint;
      await pull.unbind(address);
      push.connect(address);
      while ((await push.events.receive()).type !== "connect:retry");
      await pull.bind(address);
      await push.send("x");`,
  })
) {
  test(`${what} within the program does not keep it from ending`, async () => {
    const children = Array.from({ length: 4 }, () =>
      // Nothing refers to the sockets any more: they may be collected, or not.
      runProgram(`{${program}}\nconsole.log("ready");`));
    for (const child of children) quiet(await child);
  });
}

test("the last to close is who listens", async () => {
  const { out, ...rest } = await runProgram(`
    import process from "node:process";
    ${BOUND}
    process.on("exit", () => console.log(pull.counters.connectionsMade));
    for (let i = 0; i < 10; i++) await push.send("x");`);
  quiet({ out, ...rest });
  assert.is(out, "1\n");
});

test("who listens does not stay for messages that nobody takes", async () => {
  const [port, closed] = [await freePort(), await freePort()];
  const dealer = use(new Dealer({ linger: 0 }));
  const told = (type: "connect" | "disconnect") =>
    new Promise<void>((resolve) => dealer.events.on(type, () => resolve()));
  const [connected, disconnected] = [told("connect"), told("disconnect")];
  dealer.connect(`tcp://127.0.0.1:${port}`);
  const child = runProgram(`
    const reply = new z.Reply(), push = new z.Push();
    await reply.bind("tcp://127.0.0.1:${port}");
    push.connect("tcp://127.0.0.1:${closed}");
    await push.send("waits");
    await reply.receive();
    console.log("ready");`);
  await within(connected, "the connection");
  await dealer.send(["", "x"]);
  await within(disconnected, "its end");
  const pull = use(new Pull());
  await pull.bind(`tcp://127.0.0.1:${closed}`);
  assert.equal(await next(pull), ["waits"]);
  assert.is((await child).code, 0);
});

test("a handler of beforeExit has open sockets for as long as it does something", async () => {
  const { out, ...rest } = await runProgram(`
    import process from "node:process";
    const push = new z.Push(), pull = new z.Pull();
    await pull.bind("tcp://127.0.0.1:*");
    push.connect(pull.lastEndpoint);
    let round = 0;
    process.on("beforeExit", async () => {
      if (++round > 5) return;
      if (round % 2 === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return;
      }
      await push.send(round);
      console.log(String(await pull.receive()));
    });
  `);
  quiet({ out, ...rest });
  assert.is(out, "1\n3\n5\n");
});

test("a handler of beforeExit that takes its time is not called for ever", async () => {
  const { out, ...rest } = await runProgram(`
    import process from "node:process";
    const pull = new z.Pull();
    await pull.bind("tcp://127.0.0.1:*");
    let calls = 0;
    process.on("beforeExit", () => {
      for (const began = performance.now(); performance.now() - began < 5;);
      if (++calls === 50) process.exit(1);
    });
  `);
  quiet({ out, ...rest });
});

test("an error of the program is its exit code, not a hang", async () => {
  const { code, err } = await runProgram(`
    const pull = new z.Pull();
    await pull.bind("tcp://127.0.0.1:*");
    pull.receive();
    throw new Error("on purpose");`);
  assert.is(code, 1);
  assert.match(err, /on purpose/);
});

test("process.exit ends at once", async () => {
  const ended = await runProgram(`
    import process from "node:process";
    const pull = new z.Pull();
    await pull.bind("tcp://127.0.0.1:*");
    pull.receive();
    console.log("ready");
    setTimeout(() => process.exit(7), 20);`);
  assert.is(ended.code, 7);
});

test.run();
