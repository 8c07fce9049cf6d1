/** Processes that are killed, stopped, or out of descriptors. */
import { connect } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Pull, Router } from "zeromq-wasm";
import { bound, closeAll, freshPath, use, within } from "../socket/tools.ts";
import { Ledger, program } from "./tools.ts";

const test = suite("process");
test.after.each(closeAll);

/** Sends numbers as `numbered` makes them, as fast as it can. */
const SENDER = (endpoint: string, name: string) => `
  const push = new z.Push({ linger: 0, reconnectInterval: 10 });
  push.connect(${JSON.stringify(endpoint)});
  for (let n = 0;; n++) {
    await push.send([String(n), new Uint8Array(n * 37 % 3000).fill(n % 251),
      ${JSON.stringify(name)}]);
  }`;

for (const transport of ["tcp", "ipc"] as const) {
  test(`peers are killed under load over ${transport}`, async () => {
    const pull = use(new Pull({ context: new Context() }));
    const endpoint = await bound(pull, transport);
    const ledgers = new Map<string, Ledger>();
    const receive = async () => {
      const message = await within(pull.receive(), "a message");
      const name = String(message.pop());
      if (!ledgers.has(name)) ledgers.set(name, new Ledger());
      ledgers.get(name)!.add(message);
      return name;
    };
    for (const name of ["first", "second", "third"]) {
      const child = program(SENDER(endpoint, name));
      while ((ledgers.get(name)?.count ?? 0) < 300) await receive();
      child.signal("SIGKILL");
      await child.ended;
    }
    assert.is(ledgers.size, 3);
  });
}

test("a peer is stopped and goes on", async () => {
  const pull = use(new Pull({ context: new Context() }));
  const child = program(SENDER(await bound(pull), "x"));
  const ledger = new Ledger();
  const receive = async () =>
    ledger.add((await within(pull.receive(), "a message")).slice(0, 2));
  while (ledger.count < 300) await receive();
  child.signal("SIGSTOP");
  // What is on its way still comes.
  let idle = false;
  while (!idle) {
    const next = receive();
    idle = await Promise.race([
      next.then(() => false),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 100)),
    ]);
    if (idle) {
      const { last, count } = ledger;
      child.signal("SIGCONT");
      await next;
      assert.is(ledger.last, last + 1);
      assert.is(ledger.count, count + 1);
    }
  }
  while (ledger.count < 1000) await receive();
  assert.is(ledger.last, ledger.count - 1);
});

test("heartbeats notice who is stopped, and that it is back", async () => {
  const router = use(
    new Router({
      context: new Context(),
      mandatory: true,
      heartbeatInterval: 50,
      heartbeatTimeout: 300,
    }),
  );
  const lost = new Promise<void>((resolve) =>
    router.events.on("disconnect", () => resolve())
  );
  const child = program(`
    const dealer = new z.Dealer({ routingId: "d", linger: 0, reconnectInterval: 10 });
    dealer.connect(${JSON.stringify(await bound(router))});
    for (;;) {
      await dealer.send("hello");
      await new Promise((done) => setTimeout(done, 10));
    }`);
  await within(router.receive(), "hello");
  child.signal("SIGSTOP");
  await within(lost, "the end of the connection");
  while (router.readable) await router.receive();
  child.signal("SIGCONT");
  await within(router.receive(), "hello again");
});

test("the path of a killed listener is taken over", async () => {
  const endpoint = `ipc://${freshPath()}`;
  const dealer = use(new Dealer({ linger: 0, reconnectInterval: 10 }));
  dealer.connect(endpoint);
  const child = program(`
    const server = new z.Dealer();
    await server.bind(${JSON.stringify(endpoint)});
    for await (const message of server) await server.send(message);`);
  await dealer.send("first");
  assert.is(String(await within(dealer.receive(), "first")), "first");
  child.signal("SIGKILL");
  await child.ended;
  const server = use(new Dealer({ context: new Context() }));
  await server.bind(endpoint);
  await dealer.send("second");
  assert.is(String(await within(server.receive(), "second")), "second");
});

test("no descriptors are left to accept with, then some are", async () => {
  const child = program(
    `
    const server = new z.Dealer({ context: new z.Context(), linger: 0 });
    await server.bind("tcp://127.0.0.1:*");
    console.log("at " + server.lastEndpoint + " ");
    for await (const message of server) await server.send(message);`,
    "ulimit -n 80;",
  );
  const [, endpoint] = await child.said(/at (\S+) /);
  const port = Number(/\d+$/.exec(endpoint!)![0]);
  const idle = Array.from({ length: 150 }, () => {
    const socket = connect(port, "127.0.0.1").on("error", () => {}).resume();
    use({ close: () => void socket.destroy() });
    return socket;
  });
  const dealer = use(
    new Dealer({
      context: new Context(),
      linger: 0,
      reconnectInterval: 10,
    }),
  );
  dealer.connect(endpoint!);
  await dealer.send("hello");
  for (const socket of idle) socket.destroy();
  assert.is(String(await within(dealer.receive(), "an answer")), "hello");
});

test.run();
