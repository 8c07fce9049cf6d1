/** Datagram sockets behind fds, on a host that does what the test wants. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type {
  DatagramOptions,
  DatagramSocket,
  Host,
} from "../../ts/host/host.ts";
import { DatagramTable } from "../../ts/syscall/datagram.ts";
import type { Kernel } from "../../ts/syscall/kernel.ts";

const test = suite("datagrams");

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);
const turn = () => new Promise<void>((resolve) => setTimeout(resolve));

class FakeSocket implements DatagramSocket {
  readonly local: { host: string; port: number };
  closed = false;
  received: (bytes: Uint8Array, host: string, port: number) => void = () => {};
  readonly sent: string[] = [];
  readonly unconfirmed: (() => void)[] = [];
  constructor(readonly options: DatagramOptions) {
    const { host, port } = options.local;
    this.local = { host, port: port || 4321 };
  }
  start(received: FakeSocket["received"]) {
    this.received = received;
  }
  send(data: Uint8Array, to: { host: string; port: number }, done: () => void) {
    assert.not(this.closed);
    this.sent.push(`${to.host}:${to.port} ${text(data)}`);
    this.unconfirmed.push(done);
  }
  confirm() {
    for (const done of this.unconfirmed.splice(0)) done();
  }
  close() {
    this.closed = true;
  }
}

function setUp(
  resolve: (name: string) => Promise<string[]> = () =>
    Promise.resolve(["10.0.0.9"]),
) {
  const sockets: FakeSocket[] = [];
  const told: string[] = [];
  const state = { alive: 0, failing: false };
  const host = {
    name: "fake",
    resolve,
    keepAlive() {
      state.alive++;
      return () => state.alive--;
    },
    datagrams: {
      check() {},
      open(options: DatagramOptions) {
        if (state.failing) return Promise.reject(new Error("no"));
        sockets.push(new FakeSocket(options));
        return Promise.resolve(sockets.at(-1)!);
      },
    },
  } as unknown as Host;
  const kernel = {
    input(fd: number, size: number) {
      told.push(`input ${fd} ${size}`);
      return false;
    },
    writable(fd: number) {
      told.push(`writable ${fd}`);
    },
  } as unknown as Kernel;
  return { table: new DatagramTable(host, kernel), sockets, told, state };
}

test("what is prepared is bound, with its group", async () => {
  const { table, sockets, told } = setUp();
  const made = await table.prepare("u4 0.0.0.0 0 239.0.0.1 10.0.0.1");
  assert.equal(made, { key: "u4 0.0.0.0 4321", port: 4321 });
  assert.equal(sockets[0]!.options.membership, {
    group: "239.0.0.1",
    via: "10.0.0.1",
  });
  assert.is(sockets[0]!.options.shared, true);
  assert.is(table.waits(made.key), true);
  table.bind(7, 4, "0.0.0.0", 4321);
  assert.is(table.waits(made.key), false);
  table.settle(made.key);
  assert.is(sockets[0]!.closed, false);

  const reused = bytes("one");
  sockets[0]!.received(reused, "10.0.0.2", 99);
  reused.fill(0);
  sockets[0]!.received(bytes("second"), "10.0.0.3", 98);
  assert.equal(told, ["input 7 1", "input 7 1"]);
  const memory = new Uint8Array(10);
  assert.equal(
    table.receive(7, memory, 2, 8),
    { size: 3, host: "10.0.0.2", port: 99 },
  );
  assert.is(text(memory.subarray(2, 5)), "one");
  assert.is(table.receive(7, memory, 0, 2).size, 2, "cut to the room");
  assert.is(text(memory.subarray(0, 5)), "seone");
  table.close(7);
  assert.is(sockets[0]!.closed, true);
  assert.is(table.size, 0);
});

test("the interface of a group may have spaces in its name", async () => {
  const { table, sockets } = setUp();
  const { key } = await table.prepare("u6 :: 5 ff02::1 Ethernet  2");
  assert.equal(sockets[0]!.options.membership, {
    group: "ff02::1",
    via: "Ethernet  2",
  });
  table.settle(key);
});

test("what nobody takes is closed", async () => {
  const { table, sockets } = setUp();
  const { key } = await table.prepare("u6 :: 5 ff02::1 *");
  assert.equal(sockets[0]!.options.membership, { group: "ff02::1" });
  assert.is(table.size, 1);
  table.settle(key);
  assert.is(sockets[0]!.closed, true);
  // A bind that finds nothing still is one for libzmq.
  table.bind(7, 6, "::", 5);
  table.close(7);
  assert.is(table.size, 0);
});

test("those who want the same address wait for each other", async () => {
  const { table, sockets } = setUp();
  const target = "u4 0.0.0.0 5 239.0.0.";
  const { key } = await table.prepare(`${target}1 0.0.0.0`);
  const second = table.prepare(`${target}2 0.0.0.0`);
  await turn();
  table.bind(1, 4, "0.0.0.0", 5);
  table.settle(key);
  await second;
  table.bind(2, 4, "0.0.0.0", 5);
  table.settle(key);
  table.close(2);
  assert.equal(sockets.map(({ closed }) => closed), [false, true]);
});

test("the first datagram opens a socket, with the options for groups", async () => {
  const { table, sockets } = setUp();
  table.setMulticast(3, 4, { hops: 2 });
  table.setMulticast(3, 4, { loop: false });
  table.setMulticast(3, 4, { via: "10.0.0.1" });
  assert.is(table.size, 0);
  const lent = bytes("a");
  assert.is(table.send(3, lent, 4, "239.0.0.1", 5), true);
  lent.fill(0);
  table.send(3, bytes("b"), 4, "239.0.0.1", 5);
  await turn();
  assert.equal(sockets[0]!.options.multicast, {
    hops: 2,
    loop: false,
    via: "10.0.0.1",
  });
  assert.equal(sockets[0]!.sent, ["239.0.0.1:5 a", "239.0.0.1:5 b"]);
  table.setMulticast(4, 6, {});
  table.send(4, bytes("c"), 6, "::1", 5);
  await turn();
  assert.equal(sockets[1]!.options.local, { host: "::", port: 0 });
});

test("a name is resolved once, and again after a failure", async () => {
  let fail = true;
  const asked: string[] = [];
  const { table, sockets } = setUp((name) => {
    asked.push(name);
    return fail ? Promise.reject(new Error()) : Promise.resolve(["10.0.0.9"]);
  });
  table.send(3, bytes("lost"), 4, "host", 5);
  table.send(3, bytes("lost too"), 4, "host", 5);
  await turn();
  assert.equal(asked, ["host"]);
  fail = false;
  table.send(3, bytes("a"), 4, "host", 5);
  await turn();
  table.send(3, bytes("b"), 4, "host", 5);
  assert.equal(asked, ["host", "host"]);
  assert.equal(sockets[0]!.sent, ["10.0.0.9:5 a", "10.0.0.9:5 b"]);
});

test("a socket that cannot be opened loses what waits, and is tried again", async () => {
  const { table, sockets, state } = setUp();
  state.failing = true;
  table.send(3, bytes("lost"), 4, "10.0.0.1", 5);
  await turn();
  state.failing = false;
  table.send(3, bytes("a"), 4, "10.0.0.1", 5);
  await turn();
  assert.equal(sockets[0]!.sent, ["10.0.0.1:5 a"]);
});

test("only so many are under way", async () => {
  const { table, sockets, told } = setUp();
  let taken = 0;
  while (table.send(3, bytes("x"), 4, "10.0.0.1", 5)) {
    assert.ok(++taken < 1000);
  }
  // libzmq may go on all the same; then the last ones are lost.
  for (let i = 0; i < 1000; i++) {
    assert.is(table.send(3, bytes("x"), 4, "10.0.0.1", 5), false);
  }
  await turn();
  const [socket] = sockets;
  assert.ok(socket!.sent.length < 500, `${socket!.sent.length}`);
  assert.equal(told, []);
  socket!.confirm();
  assert.equal(told, ["writable 3"]);
  assert.is(table.send(3, bytes("y"), 4, "10.0.0.1", 5), true);
});

test("only so much input is kept", async () => {
  const { table, sockets, told } = setUp();
  await table.prepare("u4 10.0.0.1 5");
  table.bind(7, 4, "10.0.0.1", 5);
  const data = new Uint8Array(8000);
  for (let i = 0; i < 1000; i++) sockets[0]!.received(data, "10.0.0.2", 1);
  const kept = told.length;
  assert.ok(kept > 10 && kept < 100, `${kept}`);
  for (let i = 0; i < kept; i++) {
    table.receive(7, new Uint8Array(9000), 0, 8192);
  }
  sockets[0]!.received(data, "10.0.0.2", 1);
  assert.is(told.length, kept + 1);
});

test("what was sent before close is sent, and keeps the process until then", async () => {
  const { table, sockets, state, told } = setUp();
  table.send(3, bytes("a"), 4, "host", 5);
  table.close(3);
  assert.is(state.alive, 1);
  assert.is(table.size, 1);
  await turn();
  assert.equal(sockets[0]!.sent, ["10.0.0.9:5 a"]);
  assert.is(sockets[0]!.closed, false);
  // A new socket may have the number meanwhile.
  table.send(3, bytes("b"), 4, "10.0.0.1", 5);
  await turn();
  sockets[0]!.confirm();
  assert.is(sockets[0]!.closed, true);
  assert.is(state.alive, 0);
  assert.is(sockets[1]!.closed, false);
  sockets[0]!.received(bytes("late"), "10.0.0.1", 5);
  assert.equal(told, []);
  table.closeAll();
  assert.is(sockets[1]!.closed, true);
  assert.is(table.size, 0);
  assert.is(state.alive, 0);
});

test("closing everything does not wait", async () => {
  const { table, sockets, state } = setUp();
  await table.prepare("u4 10.0.0.1 5");
  table.send(3, bytes("a"), 4, "10.0.0.1", 5);
  table.send(4, bytes("a"), 4, "10.0.0.1", 5);
  await turn();
  table.send(5, bytes("a"), 4, "10.0.0.1", 5);
  table.close(4);
  table.closeAll();
  await turn();
  assert.is(sockets.length, 4);
  for (const { closed } of sockets) assert.is(closed, true);
  assert.is(table.size, 0);
  assert.is(state.alive, 0);
});

test("a host without datagrams", async () => {
  const host = { name: "fake", datagrams: undefined } as unknown as Host;
  const table = new DatagramTable(host, {} as Kernel);
  const error = await table.prepare("u4 10.0.0.1 5").catch((error) => error);
  assert.is(error.code, "EPROTONOSUPPORT");
  table.send(3, bytes("lost"), 4, "10.0.0.1", 5);
  await turn();
  table.close(3);
  assert.is(table.size, 0);
});

test.run();
