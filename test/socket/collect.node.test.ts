/** Sockets and contexts that nobody refers to: when they are closed, and when not. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import process from "node:process";
import { dial } from "../patches/hostile.ts";
import {
  command,
  frame,
  greeting,
  GREETING_SIZE,
  property,
} from "../patches/zmtp.ts";
import { gc } from "../support/collector.ts";
import { bound, closeAll, until, use, within } from "./tools.ts";

const test = suite("collect");
test.after.each(closeAll);

const gone = new Set<string>();
const registry = new FinalizationRegistry<string>((name) => gone.add(name));

/** Collects garbage until the thing is gone. */
function collected(name: string): Promise<void> {
  return until(() => {
    gc();
    return gone.has(name);
  }, `${name} is collected`);
}

/** Collects garbage for a while: for what must stay. */
async function stays(name: string): Promise<void> {
  for (let i = 0; i < 10; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.is(gone.has(name), false, name);
}

test("a socket with nothing pending is closed", async () => {
  const context = new zmq.Context();
  (() => {
    const socket = new zmq.Dealer({ context, linger: 0 });
    socket.connect("tcp://127.0.0.1:1");
    registry.register(socket, "idle");
  })();
  assert.is(context.resources.sockets, 1);
  await collected("idle");
  await until(() => context.resources.sockets === 0, "the socket is closed");
});

test("a message that was waited for is the program's alone", async () => {
  const pull = use(new zmq.Pull());
  const push = use(new zmq.Push());
  push.connect(await bound(pull));
  await (async () => {
    const received = pull.receive();
    await push.send("x");
    registry.register((await received)[0]!, "message");
  })();
  await collected("message");
});

test("its queued messages leave first", async () => {
  const pull = use(new zmq.Pull());
  const address = await bound(pull);
  await (async () => {
    const push = new zmq.Push();
    push.connect(address);
    await push.send("x");
    registry.register(push, "sender");
  })();
  await collected("sender");
  assert.equal((await pull.receive()).map(String), ["x"]);
});

test("one that listens stays for what others have to send to it", async () => {
  const context = new zmq.Context();
  const push = use(new zmq.Push({ context }));
  let address = "";
  await (async () => {
    const pull = new zmq.Pull({ context });
    address = await bound(pull);
    registry.register(pull, "listener");
  })();
  push.connect(address);
  for (let i = 0; i < 100; i++) await push.send(new Uint8Array(10_000));
  await collected("listener");
  push.close();
  await until(() => context.resources.sockets === 0, "both are closed");
});

test("a socket with something pending stays until that is done", async () => {
  const push = use(new zmq.Push({ linger: 0 }));
  await push.bind("inproc://collect");
  let got = "";
  (() => {
    const pull = new zmq.Pull();
    pull.connect("inproc://collect");
    registry.register(pull, "receiver");
    void pull.receive().then(([frame]) => got = String(frame));
  })();
  await stays("receiver");
  await push.send("x");
  await collected("receiver");
  assert.is(got, "x");
});

test("a loop over messages keeps its socket", async () => {
  const push = use(new zmq.Push({ linger: 0 }));
  await push.bind("inproc://collect-loop");
  const got: string[] = [];
  void (async () => {
    const pull = new zmq.Pull();
    pull.connect("inproc://collect-loop");
    registry.register(pull, "looper");
    for await (const [frame] of pull) {
      got.push(String(frame));
      if (got.length === 2) break;
    }
  })();
  await stays("looper");
  await push.send("1");
  await stays("looper");
  await push.send("2");
  await collected("looper");
  assert.equal(got, ["1", "2"]);
});

test("listeners for events do not keep a socket, and hear of its end", async () => {
  const heard: string[] = [];
  (() => {
    const socket = new zmq.Dealer({ linger: 0 });
    socket.events.on("end", ({ type }) => void heard.push(type));
    registry.register(socket, "observed");
  })();
  await collected("observed");
  await until(() => heard.length === 1, "the end");
});

test("nor does a receive of events, which hears of it, too", async () => {
  const events = (() => {
    const socket = new zmq.Dealer({ linger: 0 });
    registry.register(socket, "watched");
    return socket.events;
  })();
  const event = events.receive();
  await collected("watched");
  assert.is((await event).type, "end");
});

const READS: [string, (events: zmq.Observer) => unknown][] = [
  ["only made", () => {}],
  ["read from once", (events) => within(events.receive(), "an event")],
  ["iterated over for a while", async (events) => {
    for await (const _ of events) break;
  }],
];

for (const [what, read] of READS) {
  for (const closes of [true, false]) {
    const name = `${what}, ${closes ? "closed" : "left"}`;
    test(`an observer that was ${name}, is collected with its socket`, async () => {
      const context = new zmq.Context();
      await (async () => {
        const socket = new zmq.Dealer({ context, linger: 0 });
        const { events } = socket;
        registry.register(socket, `socket ${name}`);
        registry.register(events, `observer ${name}`);
        socket.bindSync("tcp://127.0.0.1:*");
        await read(events);
        if (closes) socket.close();
      })();
      await collected(`socket ${name}`);
      await collected(`observer ${name}`);
      await until(() => context.resources.sockets === 0, "nothing is open");
    });
  }
}

test("contexts are collected with their memory", async () => {
  (() => {
    const context = new zmq.Context();
    registry.register(context, "unused");
    const other = new zmq.Context();
    new zmq.Dealer({ context: other }).close();
    registry.register(other, "closed");
    const third = new zmq.Context();
    new zmq.Dealer({ context: third, linger: 0 });
    registry.register(third, "left");
  })();
  for (const name of ["unused", "closed", "left"]) await collected(name);
});

test("so is a context whose libzmq has failed, whether its sockets are closed or not", async () => {
  for (const closes of [true, false]) {
    await (async () => {
      const context = new zmq.Context({ memoryLimit: 8 * 2 ** 20 });
      registry.register(context, `failed, ${closes}`);
      const limits = { context, sendHighWaterMark: 0, receiveHighWaterMark: 0 };
      const a = new zmq.Pair(limits), b = new zmq.Pair(limits);
      await a.bind("inproc://failed");
      b.connect("inproc://failed");
      const failed = async (size: number) => {
        for (;;) await b.send(new Uint8Array(size));
      };
      for (const size of [4000, 1]) await failed(size).catch(() => {});
      assert.throws(() => context.resources, /^libzmq failed/);
      if (!closes) return;
      a.close();
      b.close();
    })();
    await collected(`failed, ${closes}`);
  }
});

test("what peers said of themselves, and are gone, does not pile up", async () => {
  const pull = use(new zmq.Pull({ receiveHighWaterMark: 0 }));
  await bound(pull);
  const heap = () => {
    gc();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  const PEERS = 1000, SIZE = 30_000;
  for (let i = 0; i < PEERS; i++) {
    const peer = await dial(pull);
    await peer.send(greeting());
    await peer.read(GREETING_SIZE);
    await peer.send(
      command(
        "READY",
        property("Socket-Type", "PUSH"),
        property("X-text", `${i}`.padEnd(SIZE)),
      ),
      frame("x"),
    );
    await pull.receive();
    peer.close();
  }
  // Each has a text of its own, and what is kept is some of them.
  assert.ok(heap() - before < PEERS * SIZE * 0.7, `${heap() - before} bytes`);
});

test.run();
