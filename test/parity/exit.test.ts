/** What keeps a process alive, and what happens to messages at its end. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bound, closeAll, next, use } from "../socket/tools.ts";
import { Pull } from "zeromq-wasm";
import { differs, run } from "./module.ts";

const test = suite("exit");
test.after.each(closeAll);

test("open sockets keep nothing alive", async () => {
  const { code, out } = await run(`
    const a = new z.Dealer(), b = new z.Dealer();
    await a.bind("tcp://127.0.0.1:*");
    b.connect(a.lastEndpoint);
    a.events;
    console.log("done");
  `);
  assert.is(code, 0);
  assert.equal(out, ["done"]);
});

for (
  const [what, operation] of [
    ["receive", "new z.Pull().receive()"],
    ["send", 'new z.Push().send("x")'],
    ["receive of events", "(globalThis.kept = new z.Pull()).events.receive()"],
  ]
) {
  test(`a pending ${what} keeps it alive`, async () => {
    const { code, out } = await run(`
      ${operation}.catch(() => {});
      setTimeout(() => { console.log("alive"); process.exit(3); }, 100).unref();
    `);
    assert.equal(out, ["alive"]);
    assert.is(code, 3);
  });
}

test("queued messages are delivered first", async () => {
  const pull = use(new Pull());
  const address = await bound(pull);
  const ended = await run(`
    const push = new z.Push();
    push.connect(${JSON.stringify(address)});
    await push.send(Buffer.alloc(100000, "x"));
    for (let i = 0; i < 100; i++) await push.send(String(i));
  `);
  assert.is(ended.code, 0);
  assert.is((await next(pull))[0]!.length, 100000);
  for (let i = 0; i < 100; i++) assert.equal(await next(pull), [String(i)]);
});

test("nothing is waited for that nobody has bound within the process", async () => {
  const { code, out, err } = await run(`
    const socket = new z.Dealer();
    socket.connect("inproc://nobody");
    await socket.send("lost");
    console.log("sent");
  `);
  assert.is(code, 0);
  assert.equal(out, ["sent"]);
  assert.is(err, "");
});

test("nor by a socket that is closed already", async () => {
  const { code, out, err } = await run(`
    const socket = new z.Dealer();
    socket.connect("inproc://nobody");
    await socket.send("lost");
    socket.close();
    console.log("closed");
  `);
  assert.is(code, 0);
  assert.equal(out, ["closed"]);
  assert.is(err, "");
});

test("linger limits how long", async () => {
  const { code, err } = await run(`
    const push = new z.Push({ linger: 50 });
    push.connect("tcp://127.0.0.1:1");
    await push.send("x");
  `);
  assert.is(code, 0);
  assert.is(err, "");
});

test("a process that waits too long says so", async () => {
  for (const blocky of [true, false]) {
    const { code, err } = await run(`
      z.context.blocky = ${blocky};
      const push = new z.Push({ linger: 900 });
      push.connect("tcp://127.0.0.1:1");
      await push.send("x");
    `);
    assert.is(code, 0);
    assert.match(
      err,
      differs("warning", {
        native: /WARNING: Waiting for queued ZeroMQ messages to be delivered\./,
        ours:
          /zeromq-wasm: waiting for queued ZeroMQ messages to be delivered\./,
      }),
    );
    assert.is(err.includes("Set 'context.blocky = false' to change"), blocky);
  }
});

test("context.blocky = false gives new sockets no linger", async () => {
  const { code, err } = await run(`
    z.context.blocky = false;
    const push = new z.Push();
    push.connect("tcp://127.0.0.1:1");
    await push.send("x");
  `);
  assert.is(code, 0);
  assert.is(err, "");
});

test("process.exit() does not wait for messages", async () => {
  const { err, code } = await run(`
    const push = new z.Push({ linger: 900 });
    push.connect("tcp://127.0.0.1:1");
    await push.send("x");
    process.exit(4);
  `);
  assert.is(code, 4);
  assert.is(err, "");
});

test("handlers of exit come after the end of the sockets", async () => {
  const { code, out } = await run(`
    import process from "node:process";
    const push = new z.Push();
    await push.bind("tcp://127.0.0.1:*");
    process.on("exit", () => console.log(push.closed));
  `);
  assert.is(code, 0);
  assert.equal(out, [differs("exit", { native: "false", ours: "true" })]);
});

test("after process.exit() handlers of exit have open sockets", async () => {
  const { out } = await run(`
    import process from "node:process";
    const push = new z.Push();
    await push.bind("tcp://127.0.0.1:*");
    process.on("exit", () => console.log(push.closed));
    process.exit();
  `);
  assert.equal(out, ["false"]);
});

test("what a program does at its end can use its sockets", async () => {
  const { code, out } = await run(`
    import process from "node:process";
    const push = new z.Push(), pull = new z.Pull();
    let times = 0;
    const end = async (what) => {
      await push.send(what);
      console.log(String(await pull.receive()));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await push.send(what + " later");
      console.log(String(await pull.receive()));
    };
    await pull.bind("tcp://127.0.0.1:*");
    push.connect(pull.lastEndpoint);
    process.once("beforeExit", () => end("end"));
  `);
  assert.is(code, 0);
  assert.equal(out, ["end", "end later"]);
});

test("a handler of beforeExit that stays has open sockets the first time", async () => {
  const { code, out } = await run(`
    import process from "node:process";
    const push = new z.Push(), pull = new z.Pull();
    await pull.bind("inproc://end");
    push.connect("inproc://end");
    let times = 0;
    process.on("beforeExit", async () => {
      if (times++ > 0) return;
      await push.send("end");
      console.log(String(await pull.receive()));
    });
  `);
  assert.is(code, 0);
  assert.equal(out, ["end"]);
});

test.run();
