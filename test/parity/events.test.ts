/** What is told of connections, in which order, and how observers end. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import {
  bound,
  closeAll,
  freePort,
  next,
  until,
  use,
  within,
} from "../socket/tools.ts";
import { differs, outcome } from "./module.ts";

const test = suite("events");
test.after.each(closeAll);

type Told = {
  type: string;
  address?: string;
  error?: Error;
  interval?: number;
};

/** Gathers the events of a socket until its end. */
function watch(socket: zmq.Socket) {
  const events: Told[] = [];
  const { events: observer } = socket;
  const over = (async () => {
    for await (const event of observer) events.push(event);
  })();
  const types = () => events.map((event) => event.type);
  const told = (type: string) =>
    until(() => types().includes(type), `event ${type}`);
  return { events, over, types, told };
}

test("a connection, from both ends", async () => {
  const server = use(new zmq.Dealer({ linger: 0 }));
  const client = use(new zmq.Dealer({ linger: 0 }));
  const there = watch(server), here = watch(client);
  const address = await bound(server);
  client.connect(address);
  await client.send("x");
  await next(server);
  await there.told("handshake");
  await here.told("handshake");
  client.close();
  await there.told("disconnect");
  server.close();
  await within(Promise.all([there.over, here.over]), "the ends");
  assert.equal(here.types(), ["connect:delay", "connect", "handshake", "end"]);
  assert.equal(there.types(), [
    "bind",
    "accept",
    "handshake",
    "disconnect",
    "close",
    "end",
  ]);
  for (const { type, address: where } of [...here.events, ...there.events]) {
    assert.is(where, type === "end" ? undefined : address, type);
  }
});

test("a connection that is refused", async () => {
  const address = `tcp://127.0.0.1:${await freePort()}`;
  const socket = use(new zmq.Dealer({ linger: 0, reconnectInterval: 20 }));
  const { events, over, told } = watch(socket);
  socket.connect(address);
  await told("connect:retry");
  socket.close();
  await within(over, "the end");
  assert.equal(events.slice(0, 3).map(({ type, address }) => [type, address]), [
    ["connect:delay", address],
    ["close", address],
    ["connect:retry", address],
  ]);
  assert.ok(events[2]!.interval! >= 20, "the interval is varied upwards");
  assert.is(
    events[1]!.error !== undefined,
    differs("why", { native: false, ours: true }),
  );
  assert.is(events.at(-1)!.type, "end");
});

test("a bind that fails", async () => {
  const address = await bound(use(new zmq.Dealer()));
  const socket = use(new zmq.Dealer());
  const { events, told } = watch(socket);
  assert.is(await outcome(() => socket.bind(address)), "EADDRINUSE");
  await told("bind:error");
  const { error, address: where } = events.find(({ type }) =>
    type === "bind:error"
  )! as { error: zmq.ZmqError; address: string };
  assert.is(error.code, "EADDRINUSE");
  assert.is(error.message, "Address already in use");
  assert.type(error.errno, "number");
  assert.ok(where.endsWith(address.slice("tcp://".length)), where);
});

test("a wrong password", async () => {
  const context = new zmq.Context();
  const handler = use(new zmq.Reply({ context }));
  await handler.bind("inproc://zeromq.zap.01");
  void (async () => {
    for await (const [version, id] of handler) {
      await handler.send([version!, id!, "400", "no", "", ""]);
    }
  })().catch(() => {});
  const server = use(
    new zmq.Dealer({ context, linger: 0, plainServer: true, zapDomain: "x" }),
  );
  const client = use(
    new zmq.Dealer({
      context,
      linger: 0,
      plainUsername: "a",
      plainPassword: "b",
    }),
  );
  const ends = [watch(server), watch(client)];
  client.connect(await bound(server));
  for (const { told, events } of ends) {
    await told("handshake:error:auth");
    const { error } = events.find(({ type }) =>
      type === "handshake:error:auth"
    )! as { error: Error & { status: number } };
    assert.is(error.status, 400);
    assert.is(error.message, "Authentication failure");
  }
});

test("mechanisms that do not match", async () => {
  const server = use(new zmq.Dealer({ linger: 0, plainServer: true }));
  const { publicKey, secretKey } = zmq.curveKeyPair();
  const client = use(
    new zmq.Dealer({
      linger: 0,
      curveServerKey: publicKey,
      curvePublicKey: publicKey,
      curveSecretKey: secretKey,
    }),
  );
  const ends = [watch(server), watch(client)];
  client.connect(await bound(server));
  // The first to see it hangs up, and the other may see only that.
  const protocol = "handshake:error:protocol";
  await until(
    () => ends.some(({ types }) => types().includes(protocol)),
    "the error",
  );
  const { error } = ends.flatMap(({ events }) => events).find(({ type }) =>
    type === protocol
  )! as { error: zmq.ZmqError };
  assert.is(error.code, "ERR_ZMTP_MECHANISM_MISMATCH");
  assert.is(error.message, "ZMTP protocol error");
});

test("inproc tells the end only", async () => {
  const a = use(new zmq.Pair()), b = use(new zmq.Pair());
  const { over, types } = watch(a);
  await a.bind("inproc://parity-events");
  b.connect("inproc://parity-events");
  await b.send("x");
  await next(a);
  a.close();
  // Where there are threads, the peer has to look before it is over.
  b.close();
  await within(over, "the end");
  assert.equal(types(), ["end"]);
});

test("reading an observer", async () => {
  const socket = use(new zmq.Dealer());
  const { events } = socket;
  assert.is(socket.events, events);
  const received = events.receive();
  assert.is(
    await outcome(() => events.receive(), true),
    "throws EBUSY: Observer is busy reading; only one receive operation may be in progress at any time",
  );
  socket.close();
  assert.equal(await within(received, "the end"), { type: "end" });
  assert.is(events.closed, true);
  assert.match(await outcome(() => events.receive()), /^throws EBADF/);
});

test("closing an observer", async () => {
  const socket = use(new zmq.Dealer());
  const { events } = socket;
  const received = events.receive();
  events.close();
  events.close();
  assert.is(events.closed, true);
  assert.is(
    await outcome(() => received),
    differs("observer", { native: "ENOTSOCK", ours: "EAGAIN" }),
  );
  const other = use(new zmq.Dealer()).events;
  const iterated = outcome(async () => {
    for await (const _ of other);
  });
  setImmediate(() => other.close());
  assert.is(
    await iterated,
    differs("observer", { native: "ENOTSOCK", ours: "ok" }),
  );
});

test("listeners", async () => {
  const socket = use(new zmq.Dealer());
  const { events } = socket;
  const heard: string[] = [];
  const listener = ({ address }: { address: string }) => {
    heard.push(`1 ${address}`);
  };
  const returned = events.on("bind", listener);
  assert.is(
    returned === events,
    differs("on", { native: false, ours: true }),
  );
  returned.on("bind", ({ address }) => void heard.push(`2 ${address}`));
  events.on("bind", listener);
  assert.is(
    await outcome(() => events.receive(), true),
    "throws Error: Observer is in event emitter mode. After a call to events.on() it is not possible to read events with events.receive().",
  );
  const first = await bound(socket);
  await until(() => heard.length >= 3, "the listeners");
  assert.equal(heard.splice(0), [`1 ${first}`, `2 ${first}`, `1 ${first}`]);
  events.off("bind", listener);
  const second = await bound(socket);
  await until(() => heard.length >= 2, "the listeners");
  assert.equal(heard, [`1 ${second}`, `2 ${second}`]);
  assert.match(
    await outcome(() => events.on("bind", 5 as unknown as typeof listener)),
    /TypeError|ERR_INVALID_ARG_TYPE/,
  );
});

test.run();
