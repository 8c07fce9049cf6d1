/** Events of sockets: which, in what order, with what in them. */
import { connect, createServer, type Socket as TcpSocket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  Dealer,
  type Event,
  Observer,
  Pair,
  Pull,
  Push,
  Router,
} from "zeromq-wasm";
import {
  bound,
  checkError,
  closeAll,
  freePort,
  freshPath,
  next,
  rejection,
  runProgram,
  stays,
  thrown,
  until,
  use,
  within,
} from "./tools.ts";

const test = suite("observer");
test.after.each(closeAll);

type Any = Event & {
  address?: string;
  error?: Error & { code?: string; errno?: number; status?: number };
  interval?: number;
};

/** Reads events until one of this type, which comes last. */
async function read(events: Observer, last: string): Promise<Any[]> {
  const found: Any[] = [];
  while (found.at(-1)?.type !== last) {
    found.push(await within(events.receive(), `${last} after ${found}`) as Any);
  }
  return found;
}
const types = (events: Any[]) => events.map(({ type }) => type);

test("the life of a connection, seen from both ends", async () => {
  const server = use(new Dealer()), client = use(new Dealer({ linger: 0 }));
  const atServer = server.events, atClient = client.events;
  const address = await bound(server);
  client.connect(address);
  const joined = await read(atServer, "handshake");
  assert.equal(types(joined), ["bind", "accept", "handshake"]);
  for (const event of joined) assert.is(event.address, address);
  const connected = await read(atClient, "handshake");
  assert.equal(types(connected), ["connect:delay", "connect", "handshake"]);
  for (const event of connected) assert.is(event.address, address);
  client.close();
  assert.equal(types(await read(atClient, "end")), ["end"]);
  assert.is(atClient.closed, true);
  checkError(thrown(() => atClient.receive()), "EBADF");
  assert.equal(types(await read(atServer, "disconnect")), ["disconnect"]);
  server.close();
  const rest = await read(atServer, "end");
  assert.equal(types(rest), ["close", "end"]);
  assert.equal(rest.at(-1), { type: "end" });
});

test("a refused connection: why, and when the next attempt comes", async () => {
  const socket = use(new Push({ linger: 0, reconnectInterval: 20 }));
  const address = `tcp://127.0.0.1:${await freePort()}`;
  const { events } = socket;
  socket.connect(address);
  for (let i = 0; i < 2; i++) {
    const [delay, close, retry] = await read(events, "connect:retry");
    assert.is(delay!.type, "connect:delay");
    assert.is(close!.type, "close");
    assert.is(close!.error?.code, "ECONNREFUSED");
    assert.is(retry!.type, "connect:retry");
    assert.ok(retry!.interval! >= 10 && retry!.interval! <= 60);
    for (const event of [delay, close, retry]) {
      assert.is(event!.address, address);
    }
  }
});

test("a failed bind is an event too", async () => {
  const taken = use(new Pull()), socket = use(new Pull());
  const address = await bound(taken);
  const { events } = socket;
  await rejection(socket.bind(address));
  const found = await read(events, "bind:error");
  const { error } = found.at(-1)!;
  checkError(error as never, "EADDRINUSE");
  assert.ok(found.at(-1)!.address!.endsWith(address.split("//")[1]!));
});

test("the reason of an old failure is not told of a later listener", async () => {
  const socket = use(new Pull({ linger: 0, reconnectInterval: 5 }));
  const { events } = socket;
  const address = `tcp://127.0.0.1:${await freePort()}`;
  socket.connect(address);
  await read(events, "connect:retry");
  socket.disconnect(address);
  // File descriptors of the module are used again.
  for (let i = 0; i < 10; i++) {
    const where = await bound(socket);
    await socket.unbind(where);
    const close = (await read(events, "close")).at(-1)!;
    if (close.address === where) assert.is(close.error, undefined);
  }
});

test("nonsense from a peer is a protocol error", async () => {
  const socket = use(new Pull());
  const { events } = socket;
  const address = await bound(socket);
  const port = Number(address.split(":").at(-1));
  const greeting = new Uint8Array(64);
  greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
  greeting.set(new TextEncoder().encode("BOGUS"), 12);
  const peer = connect(port, "127.0.0.1");
  peer.on("error", () => {});
  peer.write(greeting);
  const found = await read(events, "handshake:error:protocol");
  const { error } = found.at(-1)!;
  assert.is(error!.code, "ERR_ZMTP_MECHANISM_MISMATCH");
  assert.match(error!.message, /^ZMTP protocol error/);
  peer.destroy();
});

test("a peer that hangs up in the handshake", async () => {
  const socket = use(new Pull());
  const { events } = socket;
  const port = Number((await bound(socket)).split(":").at(-1));
  const peer: TcpSocket = connect(port, "127.0.0.1");
  peer.on("error", () => {});
  await read(events, "accept");
  peer.end("x");
  const found = await read(events, "disconnect").catch(() => []);
  assert.ok(found.length > 0);
  peer.destroy();
});

test("a wrong password: what the handler said", async () => {
  const handler = use(new Router());
  await handler.bind("inproc://zeromq.zap.01");
  let status = "400";
  void (async () => {
    for await (const [id, , version, request] of handler) {
      await handler.send([id!, "", version!, request!, status, "no", "", ""]);
    }
  })();
  for (status of ["300", "400", "500"]) {
    const server = use(new Pair({ plainServer: true, zapDomain: "d" }));
    const client = use(
      new Pair({ plainUsername: "u", plainPassword: "p", linger: 0 }),
    );
    const { events } = server;
    client.connect(await bound(server));
    const { error } = (await read(events, "handshake:error:auth")).at(-1)!;
    assert.is(error!.status, Number(status));
    assert.match(
      error!.message,
      /^(Temporary error|Authentication failure|Internal error)$/,
    );
    client.close();
    server.close();
  }
});

test("a mute server: the handshake times out", async () => {
  const sockets: TcpSocket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  const socket = use(new Push({ linger: 0, handshakeInterval: 30 }));
  const { events } = socket;
  socket.connect(`tcp://127.0.0.1:${port}`);
  const found = await read(events, "connect:retry");
  assert.ok(types(found).includes("connect"));
  assert.ok(!types(found).includes("handshake"));
  for (const peer of sockets) peer.destroy();
  server.close();
});

// --- ways to read

test("there is one observer, made when asked for", () => {
  const socket = use(new Pull());
  assert.instance(socket.events, Observer);
  assert.is(socket.events, socket.events);
  assert.is(socket.events.closed, false);
  assert.throws(() => (socket as { events: unknown }).events = 1, TypeError);
});

test("only one receive at a time, and EBADF after close", async () => {
  const { events } = use(new Pull());
  const first = events.receive();
  const busy = thrown(() => events.receive());
  checkError(busy, "EBUSY", { says: /^Observer is busy reading/ });
  assert.ok(await stays(first, 20));
  events.close();
  checkError(await rejection(first), "EAGAIN");
  checkError(thrown(() => events.receive()), "EBADF");
  events.close();
  assert.is(events.closed, true);
});

test("for await ends quietly when the socket or the observer is closed", async () => {
  for (const close of ["socket", "observer"] as const) {
    const socket = use(new Pull());
    const { events } = socket;
    const seen: string[] = [];
    const loop = (async () => {
      for await (const { type } of events) seen.push(type);
    })();
    await bound(socket);
    await until(() => seen.length > 0, "an event");
    (close === "socket" ? socket : events).close();
    await within(loop, "the loop");
    assert.equal(
      seen,
      close === "socket" ? ["bind", "close", "end"] : ["bind"],
    );
  }
});

test("listeners are called for their type, until they are taken back", async () => {
  const socket = use(new Pull());
  const { events } = socket;
  const binds: string[] = [], all: string[] = [];
  const onBind = ({ address }: { address: string }) => void binds.push(address);
  events.on("bind", onBind);
  events.on("bind", () => all.push("bind"));
  events.on("end", () => all.push("end"));
  assert.match(thrown(() => events.receive()).message, /event emitter mode/);
  const first = await bound(socket);
  await until(() => all.length === 1, "an event");
  events.off("bind", onBind);
  await bound(socket);
  await until(() => all.length === 2, "an event");
  assert.equal(binds, [first]);
  socket.close();
  await until(() => all.at(-1) === "end", "the end");
  await until(() => events.closed, "closed");
});

test("what a listener throws is not lost, also at the end", async () => {
  const program = `
    process.on("unhandledRejection", ({ message }) => console.log(message));
    const socket = new z.Pull();
    socket.events.on("end", () => { throw new Error("no more") });
    socket.close();
  `;
  const { out } = await runProgram(program);
  assert.is(out.trim(), "no more");
});

test("closing the observer leaves the socket alone, and the reverse", async () => {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  pull.events.on("bind", () => {});
  push.events.close();
  push.connect(await bound(pull));
  await push.send("1");
  assert.equal(await next(pull), ["1"]);
  pull.events.close();
  await push.send("2");
  assert.equal(await next(pull), ["2"]);
});

test("an observer that nobody reads loses no socket", async () => {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  void pull.events;
  for (let i = 0; i < 50; i++) await pull.unbind(await bound(pull));
  push.connect(await bound(pull));
  await push.send("x");
  assert.equal(await next(pull), ["x"]);
});

// --- at the end of the socket

/** A socket with some events that nobody has read. */
async function unread(options: { linger?: number } = {}) {
  const context = new Context();
  const socket = use(new Dealer({ context, ...options }));
  const { events } = socket;
  const address = await bound(socket);
  const expected = ["bind", "close", "end"];
  const gone = () =>
    until(() => context.resources.sockets === 0, "no socket is left");
  return { context, socket, events, address, expected, gone };
}

test("events that nobody reads keep no socket open; they can be read later", async () => {
  const { socket, events, expected, gone } = await unread();
  socket.close();
  await gone();
  assert.is(events.closed, false);
  assert.equal(types(await read(events, "end")), expected);
  assert.is(events.closed, true);
  checkError(thrown(() => events.receive()), "EBADF");
});

test("they can be iterated and heard later", async () => {
  const first = await unread();
  first.socket.close();
  await first.gone();
  const seen: string[] = [];
  for await (const { type } of first.events) seen.push(type);
  assert.equal(seen, first.expected);
  for await (const { type } of first.events) seen.push(type);
  assert.equal(seen, first.expected);
  const second = await unread();
  second.socket.close();
  await second.gone();
  const heard: string[] = [];
  for (const type of ["bind", "end"] as const) {
    second.events.on(type, () => void heard.push(type));
  }
  await until(() => second.events.closed, "all are heard");
  assert.equal(heard, ["bind", "end"]);
});

test("who has read some reads the others, in order", async () => {
  const { socket, events, expected, gone } = await unread();
  const received = events.receive();
  socket.close();
  const seen = [(await within(received, "an event")).type];
  await gone();
  seen.push(...types(await read(events, "end")));
  assert.equal(seen, expected);
});

test("a receive that waits for the end of a socket gets it", async () => {
  // Its messages keep it open, and telling, after it was closed.
  const { socket, events, gone } = await unread({ linger: -1 });
  const port = await freePort();
  socket.reconnectInterval = 5;
  socket.connect(`tcp://127.0.0.1:${port}`);
  await socket.send("x");
  socket.close();
  const seen: string[] = [];
  for (let i = 0; i < 6; i++) {
    seen.push((await within(events.receive(), "an event")).type);
  }
  assert.ok(seen.includes("connect:retry"), seen.join());
  const waits = events.receive();
  checkError(await rejection((async () => await events.receive())()), "EBUSY");
  const pull = use(new Dealer());
  await pull.bind(`tcp://127.0.0.1:${port}`);
  await within(waits, "an event");
  assert.equal(await next(pull), ["x"]);
  await gone();
  const rest = types(await read(events, "end"));
  assert.ok(rest.includes("handshake"), rest.join());
  assert.is(events.closed, true);
});

test("closing the observer forgets what was unread", async () => {
  const { socket, events, gone } = await unread();
  socket.close();
  await gone();
  events.close();
  assert.is(events.closed, true);
  checkError(thrown(() => events.receive()), "EBADF");
});

test("of two observers the second one goes on", async () => {
  const { socket, events, gone } = await unread();
  const second = new Observer(socket);
  assert.equal(types(await read(events, "end")), ["bind", "end"]);
  const address = await bound(socket);
  assert.is((await within(second.receive(), "an event")).type, "bind");
  await socket.unbind(address);
  socket.close();
  await gone();
  assert.is((await read(second, "end")).at(-1)!.type, "end");
});

test("why a connection failed is told of that one, however late", async () => {
  let failures = 0;
  const context = new Context({
    trace: (line) => {
      if (line.includes("failed(")) failures++;
    },
  });
  const missing = `ipc://${freshPath("missing")}`;
  const refused = `tcp://127.0.0.1:${await freePort()}`;
  const dealer = use(new Dealer({ context, reconnectInterval: 1, linger: 0 }));
  const { events } = dealer;
  dealer.connect(missing);
  dealer.connect(refused);
  await until(() => failures >= 20, "failures of both");
  const seen = new Set<string>();
  for (let i = 0; i < 20;) {
    const event = await within(events.receive(), "an event") as Any;
    if (event.type !== "close") continue;
    i++;
    const { address, error } = event;
    seen.add(address!);
    assert.match(error!.message, address!.split("://")[1]!);
  }
  assert.is(seen.size, 2);
});

test("why connections failed is told also if many do at once", async () => {
  const dealer = use(new Dealer({ reconnectInterval: -1, linger: 0 }));
  const { events } = dealer;
  const MANY = 400;
  for (let i = 0; i < MANY; i++) {
    dealer.connect(`ipc://${freshPath(`missing-${i}`)}`);
  }
  for (let closed = 0; closed < MANY;) {
    const event = await within(events.receive(), "an event") as Any;
    if (event.type !== "close") continue;
    closed++;
    assert.match(event.error!.message, event.address!.split("://")[1]!);
  }
});

test.run();
