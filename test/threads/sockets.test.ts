/** Instances in several threads; what sockets show of inproc between them. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { context, curveKeyPair, Dealer, Pair, Push } from "zeromq-wasm";
import { failure, pause, until, within } from "../support/deadline.ts";
import { cleanUp, fresh, spawn, use } from "./worker.ts";

const test = suite("threads: sockets");
test.after.each(cleanUp);

test("each thread has an instance of its own: tcp between them", async () => {
  const pair = use(new Pair());
  await pair.bind("tcp://127.0.0.1:*");
  const threads = 3;
  const others = Array.from({ length: threads }, () =>
    spawn(
      `const reply = new z.Reply(); await reply.bind("tcp://127.0.0.1:*");
      tell([reply.lastEndpoint, z.context.resources.sockets]);
      for await (const [text] of reply) await reply.send("re " + text);`,
    ));
  for (const other of others) {
    const [address, sockets] = await other.next() as [string, number];
    assert.is(sockets, 1);
    const dealer = use(new Dealer());
    dealer.connect(address);
    await dealer.send(["", "x"]);
    const reply = await within(dealer.receive(), "reply");
    assert.equal(reply.map(String), ["", "re x"]);
  }
});

test("security is ignored, as libzmq does for inproc", async () => {
  const server = curveKeyPair(), client = curveKeyPair();
  const pair = use(
    new Pair({ curveServer: true, curveSecretKey: server.secretKey }),
  );
  const address = fresh();
  await pair.bind(address);
  const other = spawn(
    `const { address, client } = data;
    const plain = new z.Pair({ plainUsername: "a", plainPassword: "b" });
    plain.connect(address);
    await plain.send("plain"); await told(); plain.close(); await told();
    const curve = new z.Pair({
      curvePublicKey: client.publicKey, curveSecretKey: client.secretKey,
      curveServerKey: client.publicKey,
    });
    curve.connect(address); await curve.send("curve");`,
    { address, client },
  );
  assert.is(String(await within(pair.receive(), "message")), "plain");
  await until(() => context.resources.connections === 1, "one connection");
  other.tell("go on");
  await until(() => context.resources.connections === 0, "it is gone");
  other.tell("go on");
  assert.is(String(await within(pair.receive(), "message")), "curve");
  assert.is(pair.securityMechanism, "curve");
});

test("the high-water mark of a slow thread holds the sender", async () => {
  const push = use(new Push({ sendHighWaterMark: 10, sendTimeout: 300 }));
  const address = fresh();
  await push.bind(address);
  const other = spawn(
    `const socket = new z.Pull({ receiveHighWaterMark: 10 });
    socket.connect(data); tell(String((await socket.receive())[1]));
    await told();
    for (;;) tell(String((await socket.receive())[1]));`,
    address,
  );
  const body = new Uint8Array(100_000);
  let sent = 0;
  const send = () => push.send([body, String(sent)]).then(() => sent++);
  await send();
  assert.is(await other.next(), "0");
  const full = await failure(async () => {
    while (sent < 1000) await send();
  }, "sending to a thread that does not receive");
  assert.is(full.code, "EAGAIN");
  assert.ok(sent >= 10 && sent < 200, `${sent} messages sent`);
  const before = sent;
  other.tell("go on");
  for (let i = 1; i < before; i++) assert.is(await other.next(), String(i));
  await send();
  assert.is(await other.next(), String(before));
});

test("endpoints and events are as inproc has them", async () => {
  const dealer = use(new Dealer());
  const events: string[] = [];
  for (const type of ["accept", "connect", "listening", "handshake"] as const) {
    (dealer.events as unknown as {
      on(type: string, listener: () => void): void;
    }).on(type, () => events.push(type));
  }
  const [bound, connected] = [fresh(), fresh()];
  await dealer.bind(bound);
  const other = spawn(
    `const socket = new z.Dealer(); socket.connect(data.bound);
    await socket.bind(data.connected); await socket.send("x");
    tell(socket.lastEndpoint);
    for await (const frames of socket) await socket.send(frames);`,
    { bound, connected },
  );
  await within(dealer.receive(), "message");
  assert.is(dealer.lastEndpoint, bound);
  assert.is(await other.next(), connected);
  dealer.connect(connected);
  await until(() => context.resources.connections === 2, "both connections");
  await within(dealer.send("y"), "send");
  await within(dealer.receive(), "reply");
  assert.is(dealer.lastEndpoint, connected);
  await pause(50);
  assert.equal(events, []);
});

test("nobody can listen at the paths in between", async () => {
  const dealer = use(new Dealer());
  const error = await failure(
    () => dealer.bind("ipc:///dev/null/zeromq-wasm/0"),
    "bind",
  );
  assert.ok(error.code, String(error));
});

test.run();
