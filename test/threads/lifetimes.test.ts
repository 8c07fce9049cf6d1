/** inproc between threads: who comes and goes when. */
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, context, Dealer, Pull, Push, Router } from "zeromq-wasm";
import { pendingFor, until, within } from "../support/deadline.ts";
import { runProgram } from "../socket/tools.ts";
import { cleanUp, fresh, spawn, use } from "./worker.ts";

const isDeno = "Deno" in globalThis;
const test = suite("threads: lifetimes");
test.after.each(cleanUp);

const listeners = () => process.listenerCount("exit");
const atFirst = listeners();

const PULL =
  `const socket = new z.Pull(); await socket.bind(data); tell("bound");
  for await (const [text] of socket) tell(String(text));`;

const unconnected = () =>
  until(() => context.resources.connections === 0, "no connections");

test("what was sent before anybody bound arrives, in order", async () => {
  const push = use(new Push());
  const address = fresh();
  push.connect(address);
  for (let i = 0; i < 500; i++) await within(push.send(String(i)), "send");
  const other = spawn(PULL, address);
  assert.is(await other.next(), "bound");
  await within(push.send("500"), "send");
  for (let i = 0; i <= 500; i++) assert.is(await other.next(), String(i));
});

test("a socket that is closed at once still delivers", async () => {
  const pull = use(new Pull());
  const address = fresh();
  await pull.bind(address);
  spawn(
    `const socket = new z.Push(); socket.connect(data);
    for (let i = 0; i < 900; i++) await socket.send(String(i));
    await socket[Symbol.asyncDispose](); tell("gone"); over();`,
    address,
  );
  for (let i = 0; i < 900; i++) {
    assert.is(String(await within(pull.receive(), `message ${i}`)), String(i));
  }
});

test("a name is bound in its own thread first", async () => {
  const address = fresh();
  const other = spawn(PULL, address);
  assert.is(await other.next(), "bound");
  const [push, pull] = [use(new Push()), use(new Pull())];
  await pull.bind(address);
  push.connect(address);
  await push.send("mine");
  assert.is(String(await within(pull.receive(), "message")), "mine");
});

test("what waited goes to a socket of its own thread that binds", async () => {
  const [push, pull] = [use(new Push()), use(new Pull())];
  const address = fresh();
  push.connect(address);
  await push.send("1");
  await pull.bind(address);
  assert.is(String(await within(pull.receive(), "message")), "1");
  // No longer looked for elsewhere.
  const other = spawn(PULL, address);
  assert.is(await other.next(), "bound");
  await push.send("2");
  assert.is(String(await within(pull.receive(), "message")), "2");
});

test("after a while without inproc other threads are found again", async () => {
  const address = fresh();
  const other = spawn(PULL, address);
  assert.is(await other.next(), "bound");
  for (let round = 0; round < 2; round++) {
    const push = use(new Push());
    push.connect(address);
    await push.send("sent");
    assert.is(await other.next(), "sent");
    push.close();
    await until(() => listeners() === atFirst, "nothing is listened to");
  }
});

test("a name that is unbound can be bound by another thread", async () => {
  const push = use(new Push());
  const address = fresh();
  push.connect(address);
  const first = spawn(
    `const socket = new z.Pull(); await socket.bind(data); tell("bound");
    tell(String(await socket.receive()));
    await socket.unbind(data); socket.close(); tell("closed");`,
    address,
  );
  assert.is(await first.next(), "bound");
  await push.send("1");
  assert.is(await first.next(), "1");
  assert.is(await first.next(), "closed");
  const second = spawn(PULL, address);
  assert.is(await second.next(), "bound");
  await push.send("2");
  assert.is(await second.next(), "2");
});

test("disconnect ends a connection, and waiting for one", async () => {
  const router = use(new Router());
  const address = fresh();
  await router.bind(address);
  const other = spawn(
    `const socket = new z.Dealer(); socket.connect(data);
    await socket.send("x"); await told();
    socket.disconnect(data); tell("done"); await told();
    try { socket.disconnect(data); tell("again"); }
    catch (error) { tell(error.code); }`,
    address,
  );
  await within(router.receive(), "message");
  assert.is(context.resources.connections, 1);
  other.tell("go on");
  assert.is(await other.next(), "done");
  await unconnected();
  other.tell("go on");
  assert.is(await other.next(), "ENOENT");

  const dealer = use(new Dealer());
  const nobody = fresh();
  dealer.connect(nobody);
  dealer.disconnect(nobody);
  const late = spawn(
    `const socket = new z.Dealer(); await socket.bind(data); tell("bound");
    await socket.receive(); tell("got it");`,
    nobody,
  );
  assert.is(await late.next(), "bound");
  assert.ok(await pendingFor(dealer.send("x"), 100));
});

for (
  const [how, code, message] of [
    ["process.exit(3)", 3, undefined],
    ["throw new Error('oh')", 1, "oh"],
    ["setTimeout(() => { throw new Error('late') }); await told()", 1, "late"],
    ["over()", 0, undefined],
  ] as const
) {
  test(`a thread that ends by ${how} harms no other`, async () => {
    const router = use(new Router());
    const address = fresh();
    await router.bind(address);
    // Kept, because a socket that nobody can reach any more is closed.
    const dealer =
      `const socket = globalThis.kept = new z.Dealer(); socket.connect(data);
      await socket.send("x"); await told();`;
    const survivor = spawn(
      `${dealer} tell(String(await socket.receive())); await told();`,
      address,
    );
    const [stays] = await within(router.receive(), "message");
    const ending = spawn(`${dealer} ${how};`, address);
    await within(router.receive(), "message");
    assert.is(context.resources.connections, 2);
    ending.tell("go on");
    assert.is(await within(ending.ended, "the end"), code);
    assert.equal(
      ending.errors.map((it) => it.message),
      message === undefined ? [] : [message],
    );
    await until(() => context.resources.connections === 1, "one is gone");
    survivor.tell("go on");
    await router.send([stays!, "still here"]);
    assert.is(await survivor.next(), "still here");
  });
}

test("a thread that is terminated is noticed", async () => {
  const router = use(
    // Deno does not tell: there heartbeats do.
    new Router(
      isDeno ? { heartbeatInterval: 50, heartbeatTimeout: 500 } : {},
    ),
  );
  const address = fresh();
  await router.bind(address);
  const other = spawn(
    `const socket = globalThis.kept = new z.Dealer(); socket.connect(data);
    await socket.send("x"); await told();`,
    address,
  );
  await within(router.receive(), "message");
  await other.worker.terminate();
  await unconnected();
});

test("a thread takes over from one that was terminated", async () => {
  const push = use(new Push());
  const address = fresh();
  push.connect(address);
  const first = spawn(PULL, address);
  await push.send("1");
  assert.is(await first.next(), "bound");
  assert.is(await first.next(), "1");
  await first.worker.terminate();
  // Where the end of a thread is not told, the next one that binds makes others ask.
  const second = spawn(
    `const socket = new z.Pull(); await socket.bind(data); tell("bound");
    await socket.receive(); tell("got it");`,
    address,
  );
  assert.is(await second.next(), "bound");
  let got = false;
  second.worker.once("message", () => got = true);
  await until(
    async () => {
      // What is on its way to the first thread is lost.
      await push.send("again");
      return got;
    },
    "a message to the second",
    15_000,
  );
});

test("only the default context is shared", async () => {
  const pull = use(new Pull({ context: new Context() }));
  const address = fresh();
  await pull.bind(address);
  const other = spawn(
    `const socket = new z.Push(); socket.connect(data);
    await socket.send("x"); tell("sent");`,
    address,
  );
  assert.is(await other.next(), "sent");
  assert.ok(await pendingFor(pull.receive(), 100));
});

for (const verb of ["await socket.bind", "socket.connect"]) {
  test(`after ${verb} a process ends by itself`, async () => {
    const { code, signal, out, err } = await runProgram(`
      const socket = new z.Dealer({ linger: 0 });
      ${verb}("inproc://name");
      console.log("ready");`);
    assert.equal({ code, signal, out, err }, {
      code: 0,
      signal: null,
      out: "ready\n",
      err: "",
    });
  });
}

test.run();
