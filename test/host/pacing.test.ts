/** Connections of a machine to itself are not paced, where the runtime can say so. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as net from "node:net";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Connection,
  Context,
  defaultHost,
  type Host,
  Pull,
  Push,
} from "zeromq-wasm";
import { libraryCalls } from "../../ts/host/bun_calls.ts";
import { connectInside } from "../../ts/host/bun_inside.ts";
import { isInside, type OptionCalls, unpace } from "../../ts/host/pacing.ts";
import {
  bound,
  closeAll,
  isBun,
  isDeno,
  until,
  use,
  within,
} from "../socket/tools.ts";
import { callsC } from "./c_library.ts";

const test = suite("pacing");
test.after.each(closeAll);

/** A connection whose congestion control is `name`; undefined if it has none. */
function connection(name: string | undefined) {
  const it = { name, fds: new Set<number>() };
  const calls: OptionCalls = {
    getsockopt(fd, level, option, value, size) {
      it.fds.add(fd);
      assert.equal([level, option, size[0]], [6, 13, value.length]);
      if (it.name === undefined) return -1;
      value.set(Array.from(it.name, (letter) => letter.charCodeAt(0)));
      return 0;
    },
    setsockopt(fd, level, option, value, size) {
      it.fds.add(fd);
      assert.equal([level, option, size], [6, 13, value.length]);
      it.name = String.fromCharCode(...value);
      return 0;
    },
  };
  return { it, calls };
}

test("only BBR is replaced", () => {
  for (
    const [before, after] of [
      ["bbr", "reno"],
      ["bbr2", "reno"],
      ["cubic", "cubic"],
      ["reno", "reno"],
      ["dctcp", "dctcp"],
      [undefined, undefined],
    ]
  ) {
    const { it, calls } = connection(before);
    unpace(7, calls);
    assert.is(it.name, after);
    assert.equal([...it.fds], [7]);
  }
});

test("what is inside has two ends on one machine", () => {
  for (
    const [local, remote, expected] of [
      ["127.0.0.1", "127.0.0.1", true],
      ["127.0.0.1", "127.3.2.1", true],
      ["::ffff:127.0.0.1", "::ffff:127.0.0.1", true],
      ["::1", "::1", true],
      ["10.1.2.3", "10.1.2.3", true],
      ["10.1.2.3", "10.1.2.4", false],
      ["10.127.0.1", "127.0.0.1", false],
      [undefined, undefined, false],
      ["127.0.0.1", undefined, false],
    ] as const
  ) assert.is(isInside(local, remote), expected, `${local} to ${remote}`);
});

const descriptors = () =>
  existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;

const setting = "/proc/sys/net/ipv4/tcp_congestion_control";
/** Of Debian's iproute2. */
const ss = ["/usr/bin/ss", "/bin/ss", "/usr/sbin/ss", "/sbin/ss"].find(
  (path) => existsSync(path),
);
/** After so many frames of 64 KB a connection is busy anywhere. */
const MANY = 20_000;

/** The congestion control that connections have if nobody says another. */
const usual = existsSync(setting) ? readFileSync(setting, "utf8").trim() : "";
const beginsUnpaced = () =>
  isBun && usual.startsWith("bbr") && libraryCalls() !== undefined;

/** What ss tells of connections: their congestion control, and much else. */
function told(ends: string): string[] {
  return execFileSync(ss!, ["-tinOH", ...ends.split(" ")], { encoding: "utf8" })
    .split(/\s+/);
}

if (usual && ss) {
  test("on Bun both ends of a loopback connection begin without", async () => {
    const expected = beginsUnpaced() ? "reno" : usual;
    const pull = use(new Pull());
    await pull.bind("tcp://127.0.0.1:*");
    const port = pull.lastEndpoint!.split(":").at(-1)!;
    const push = use(new Push({ linger: 0 }));
    push.connect(pull.lastEndpoint!);
    await push.send("hello");
    await within(pull.receive(), "a message");
    for (const end of ["dport", "sport"]) {
      const words = told(`${end} = :${port}`);
      assert.ok(words.includes(expected), `${end}: ${words} has ${expected}`);
    }
  });

  test("a busy connection is asked for what it has", async () => {
    const speaks = callsC || libraryCalls() !== undefined;
    const expected = speaks && usual.startsWith("bbr") ? "reno" : usual;
    const pull = use(new Pull());
    const port = (await bound(pull)).split(":").at(-1)!;
    const push = use(new Push({ linger: 0 }));
    // With a source address a Bun, too, begins with what is usual.
    const source = isBun ? "127.0.0.1:0;" : "";
    push.connect(`tcp://${source}127.0.0.1:${port}`);
    const frame = new Uint8Array(65536);
    let words: string[] = [];
    for (let sent = 0; sent < MANY && !words.includes(expected); sent += 500) {
      const sending = (async () => {
        for (let i = 0; i < 500; i++) await push.send(frame);
      })();
      for (let i = 0; i < 500; i++) await within(pull.receive(), "a frame");
      await sending;
      words = told(`dport = :${port}`);
    }
    assert.ok(words.includes(expected), `${words} has ${expected}`);
  });
}

/** As if the system paced, wherever Bun has the library. */
const connects = (socket: net.Socket, host: string, port: number) =>
  connectInside(socket, host, port, () => true);

/** A server that answers with what it is sent. */
async function echo() {
  const server = net.createServer((socket) => {
    socket.on("error", () => {}).pipe(socket);
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as net.AddressInfo;
  const end = () =>
    new Promise<void>((resolve) => server.close(() => resolve()));
  return { port, end };
}

test("only loopback literals of IPv4 are connected to beforehand", async () => {
  const { port, end } = await echo();
  const hosts = ["::1", "10.1.2.3", "localhost", "127.0.0.256", "127.0.0"];
  // Names are the system's to read: with a zero before it a number is octal.
  for (const host of [...hosts, "127.0.0.010", "127.x.0.1"]) {
    const socket = new net.Socket();
    assert.is(connects(socket, host, port), false, host);
    socket.destroy();
  }
  await end();
});

if (isBun && libraryCalls()) {
  test("what is connected beforehand is a connection as others", async () => {
    const { port, end } = await echo();
    const before = descriptors();
    for (let i = 0; i < 50; i++) {
      const socket = new net.Socket({ allowHalfOpen: true });
      const answer = new Promise((resolve, reject) =>
        socket.on("error", reject).once("data", (bytes) => resolve(`${bytes}`))
      );
      assert.is(connects(socket, "127.0.0.1", port), true);
      socket.write(`hello ${i}`);
      assert.is(await within(answer, "an answer"), `hello ${i}`);
      assert.is(socket.remotePort, port);
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.end();
      await within(closed, "the end");
    }
    // Of a server's ends some may still be about to close.
    await until(() => descriptors() <= before + 5, "descriptors are closed");
    await end();
  });

  test("nothing is left of one that is refused", async () => {
    const { port, end } = await echo();
    await end();
    const before = descriptors();
    const socket = new net.Socket();
    for (let i = 0; i < 100; i++) {
      assert.is(connects(socket, "127.0.0.1", port), false);
    }
    // Of the tests before some may have been closed meanwhile.
    assert.ok(descriptors() <= before, "descriptors are closed");
    socket.destroy();
  });

  test("nothing is left of one that Bun does not take", async () => {
    const { port, end } = await echo();
    const socket = new net.Socket();
    socket.connect = (() => {
      throw new Error("no");
    }) as typeof socket.connect;
    const before = descriptors();
    for (let i = 0; i < 10; i++) {
      assert.throws(() => connects(socket, "127.0.0.1", port), "no");
    }
    // Of the tests before some may have been closed meanwhile.
    assert.ok(descriptors() <= before, "descriptors are closed");
    socket.destroy();
    await end();
  });
}

test("a refused connection is tried until somebody listens", async () => {
  const first = use(new Pull());
  await first.bind("tcp://127.0.0.1:*");
  const endpoint = first.lastEndpoint!;
  await first.unbind(endpoint);
  const push = use(new Push({ linger: 0, reconnectInterval: 10 }));
  const seen: string[] = [];
  const retried = new Promise<void>((resolve) =>
    push.events.on("connect:retry", () => resolve())
  );
  push.events.on("connect", () => seen.push("connect"));
  push.connect(endpoint);
  await within(retried, "another try");
  assert.equal(seen, []);
  const second = use(new Pull());
  await second.bind(endpoint);
  await push.send("hello");
  const [message] = await within(second.receive(), "a message");
  assert.is(String(message), "hello");
});

test("only what may be paced says so", async () => {
  const inner = defaultHost();
  const connections: Connection[] = [];
  const host: Host = Object.create(inner, {
    connect: {
      value: (...args: Parameters<Host["connect"]>) => {
        connections.push(inner.connect(...args));
        return connections.at(-1);
      },
    },
  });
  const context = new Context({ host });
  const paces = !isDeno && !isBun && process.platform === "linux";
  for (const endpoint of ["tcp://127.0.0.1:*", "ipc://*"]) {
    const pull = use(new Pull({ context }));
    await pull.bind(endpoint);
    const push = use(new Push({ context, linger: 0 }));
    push.connect(pull.lastEndpoint!);
    await push.send("hello");
    await within(pull.receive(), "a message");
    const { isPaced = false } = connections.at(-1)!;
    assert.is(isPaced, paces && endpoint.startsWith("tcp:"), endpoint);
  }
});

test.run();
