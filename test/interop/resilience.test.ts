/** Peers that come late, die, freeze or say nothing. */
import {
  connect as tcpConnect,
  createServer,
  type Socket as TcpSocket,
} from "node:net";
import * as assert from "uvu/assert";
import { Dealer, type EventType, Push, Router, type Socket } from "zeromq-wasm";
import { pause, until, within } from "../support/deadline.ts";
import { Ours, same, Theirs } from "../support/ends.ts";
import { checkLeaks } from "../support/leaks.ts";
import { Peer, type PeerSocket } from "../support/peer.ts";
import { interopSuite } from "../support/python.ts";

const test = interopSuite("resilience");
checkLeaks(test);

let peer: Peer;
test.before(async () => {
  peer = await Peer.start();
});

const ANYWHERE = "tcp://127.0.0.1:*";

/** An address where nobody listens now; a peer can bind there later. */
async function freeAddress(): Promise<string> {
  const probe = await peer.socket("DEALER");
  const address = await probe.bind(ANYWHERE);
  await probe.unbind(address);
  await probe.close();
  return address;
}

/** Binds there as soon as the system has given the port free. */
async function bindAgain(socket: PeerSocket, address: string): Promise<void> {
  await until(
    () => socket.bind(address).then(() => true, () => false),
    `bind to ${address}`,
  );
}

/** Waits for an event of a socket; what `events` says before is passed over. */
async function eventOf(
  events: Socket["events"],
  type: EventType,
): Promise<void> {
  const run = async () => {
    while ((await events.receive()).type !== type);
  };
  await within(run(), `event ${type}`);
}

test("connects to a peer that binds later", async () => {
  const address = await freeAddress();
  const ours = new Ours("REQ", { reconnectInterval: 10 });
  await ours.connect(address);
  // Queued before there is anybody.
  await ours.send(["early"]);
  await eventOf(ours.socket.events, "connect:retry");
  const theirs = await Theirs.create(peer, "REP");
  await bindAgain(theirs.socket, address);
  same(await theirs.receive(), ["early"], "late peer");
  await theirs.send(["late"]);
  same(await within(ours.receive(), "reply"), ["late"], "late peer");
  ours.socket.events.close();
  ours.close();
  await theirs.close();
});

test("a peer that connects before we bind", async () => {
  const address = await freeAddress();
  const theirs = await Theirs.create(peer, "DEALER", { RECONNECT_IVL: 10 });
  await theirs.socket.monitor();
  await theirs.connect(address);
  await theirs.send(["early"]);
  await theirs.socket.event("CONNECT_RETRIED");
  const ours = new Ours("DEALER");
  await until(
    () => ours.bind(address).then(() => true, () => false),
    `bind to ${address}`,
  );
  same(
    await within(ours.receive(), "early message"),
    ["early"],
    "we bind late",
  );
  ours.close();
  await theirs.close();
});

test("reconnects to a peer killed and started again", async () => {
  const ours = new Ours("DEALER", { reconnectInterval: 10 });
  const { events } = ours.socket;
  let address = ANYWHERE;
  for (const round of ["first", "second", "third"]) {
    const mortal = await Peer.start();
    const theirs = await mortal.socket("DEALER");
    if (address === ANYWHERE) {
      address = await theirs.bind(address);
      await ours.connect(address);
    } else await bindAgain(theirs, address);
    await eventOf(events, "handshake");
    await ours.send([round]);
    same(await theirs.receive(), [round], `${round} life, there`);
    await theirs.sendBack();
    same(await within(ours.receive(), round), [round], `${round} life, back`);
    await mortal.kill();
    await eventOf(events, "disconnect");
  }
  events.close();
  ours.close();
});

test("peers killed while connected to us, one after the other", async () => {
  const ours = new Router({ linger: 0, mandatory: true });
  await ours.bind(ANYWHERE);
  for (const round of ["first", "second"]) {
    const mortal = await Peer.start();
    const theirs = await mortal.socket("DEALER", { ROUTING_ID: "mortal" });
    await theirs.connect(ours.lastEndpoint!);
    await theirs.send([round]);
    const [id, body] = await within(ours.receive(), round);
    assert.is(String(body), round);
    await mortal.kill();
    await gone(ours, String(id), round);
  }
  ours.close();
});

/** Waits until the router no longer knows the peer. */
function gone(router: Router, id: string, what: string): Promise<boolean> {
  return until(
    () =>
      router.send([id, "there?"]).then(
        () => false,
        (error) => error.code === "EHOSTUNREACH",
      ),
    `${what}: the router forgets its peer`,
  );
}

test("heartbeats find a frozen peer, and it comes back", async () => {
  const frozen = await Peer.start();
  const ours = new Router({
    linger: 0,
    mandatory: true,
    heartbeatInterval: 50,
    heartbeatTimeout: 300,
  });
  await ours.bind(ANYWHERE);
  const theirs = await frozen.socket("DEALER", {
    ROUTING_ID: "frozen",
    RECONNECT_IVL: 10,
  });
  try {
    await theirs.connect(ours.lastEndpoint!);
    await theirs.send(["hello"]);
    await within(ours.receive(), "hello");
    frozen.freeze(true);
    await gone(ours, "frozen", "heartbeats");
  } finally {
    frozen.freeze(false);
  }
  // More than once: what it sends before it notices that it was given up is lost.
  ours.receiveTimeout = 300;
  const message = await until(async () => {
    await theirs.send(["again"]);
    return ours.receive().catch((error) => {
      if (error.code !== "EAGAIN") throw error;
    });
  }, "thawed");
  same(message as Buffer[], ["frozen", "again"], "thawed");
  ours.close();
});

test("handshakeInterval ends a silent client", async () => {
  const ours = new Dealer({ linger: 0, handshakeInterval: 200 });
  await ours.bind(ANYWHERE);
  const client = tcpConnect(
    Number(/\d+$/.exec(ours.lastEndpoint!)![0]),
    "127.0.0.1",
  );
  const closed = new Promise<void>((resolve) => client.once("end", resolve));
  client.on("error", () => {}).resume();
  await within(closed, "end of the silent client's connection");
  client.destroy();
  ours.close();
});

test("handshakeInterval ends a connection to a silent server", async () => {
  const connections: TcpSocket[] = [];
  const ended: TcpSocket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on("error", () => {}).on("end", () => ended.push(socket)).resume();
  }).listen(0, "127.0.0.1");
  await until(() => server.listening, "listening");
  const { port } = server.address() as { port: number };
  const ours = new Dealer({
    linger: 0,
    handshakeInterval: 200,
    reconnectInterval: 10,
  });
  ours.connect(`tcp://127.0.0.1:${port}`);
  await until(() => ended.length > 0, "end of the connection");
  await until(() => connections.length > 1, "another attempt");
  ours.close();
  for (const socket of connections) socket.destroy();
  server.close();
});

for (const through of ["", " through a proxy"]) {
  test(`connectTimeout gives up an attempt that nobody answers${through}`, async () => {
    // A listener whose queue is full lets the system drop further attempts.
    const server = await peer.call<{ id: string; port: number }>("deaf", {});
    const ours = new Dealer({
      linger: 0,
      connectTimeout: 150,
      reconnectInterval: 10,
      ...(through && { socksProxy: `127.0.0.1:${server.port}` }),
    });
    const { events } = ours;
    ours.connect(`tcp://127.0.0.1:${through ? 5555 : server.port}`);
    await eventOf(events, "connect:delay");
    await eventOf(events, "connect:retry");
    await eventOf(events, "connect:delay");
    events.close();
    ours.close();
    await peer.call("undeaf", { id: server.id });
  });
}

test("linger 0 throws away what waits for a peer", async () => {
  const address = await freeAddress();
  const hasty = new Push({ linger: 0 });
  hasty.connect(address);
  await hasty.send("dropped");
  hasty.close();
  const theirs = await peer.socket("PULL");
  await bindAgain(theirs, address);
  const patient = new Push({ linger: 0 });
  patient.connect(address);
  await patient.send("kept");
  same(await theirs.receive(), ["kept"], "linger 0");
  patient.close();
  await theirs.close();
});

for (const linger of [-1, 60_000]) {
  test(`linger ${linger} delivers after close`, async () => {
    const address = await freeAddress();
    const ours = new Push({ linger, reconnectInterval: 10 });
    ours.connect(address);
    for (const n of ["1", "2", "3"]) await ours.send(n);
    ours.close();
    const theirs = await peer.socket("PULL");
    await bindAgain(theirs, address);
    for (const n of ["1", "2", "3"]) {
      same(await theirs.receive(), [n], `linger ${linger}`);
    }
    await theirs.close();
  });
}

test("a linger that has passed leaves nothing", async () => {
  const ours = new Push({ linger: 100, reconnectInterval: 10 });
  ours.connect(await freeAddress());
  await ours.send("for nobody");
  const before = ours.context.resources.sockets;
  ours.close();
  // Not at once: it still tries.
  await pause(0);
  assert.is(ours.context.resources.sockets, before);
  await until(
    () => ours.context.resources.sockets < before,
    "end of the lingering socket",
  );
});

test.run();
