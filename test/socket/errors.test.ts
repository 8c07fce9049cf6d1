/** What each failure says: code, number, address and a sentence. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import os from "node:os";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pair, Pull, Push, ZmqError } from "zeromq-wasm";
import {
  bound,
  checkError,
  closeAll,
  freePort,
  freshPath,
  isDeno,
  next,
  rejection,
  thrown,
  use,
  within,
} from "./tools.ts";

const test = suite("errors");
test.after.each(closeAll);

/** An endpoint, and the code with which bind and connect refuse it. */
const MALFORMED: [string, string | undefined, string | undefined][] = [
  ["", "EINVAL", "EINVAL"],
  ["foo", "EINVAL", "EINVAL"],
  ["://", "EINVAL", "EINVAL"],
  ["tcp", "EINVAL", "EINVAL"],
  ["tcp:", "EINVAL", "EINVAL"],
  ["tcp:/127.0.0.1:1", "EINVAL", "EINVAL"],
  ["tcp://", "EINVAL", "EINVAL"],
  ["tcp://*", "EINVAL", "EINVAL"],
  ["tcp://:", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:x", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:-1", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:99999", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:65536", "EINVAL", "EINVAL"],
  ["ws://127.0.0.1:65536/path", "EINVAL", "EINVAL"],
  ["tcp://*:*", undefined, "EINVAL"],
  ["tcp://127.0.0.1:*", undefined, "EINVAL"],
  ["tcp://256.1.1.1:5555", "ENODEV", undefined],
  ["tcp://no.such.name.invalid:5555", "ENODEV", undefined],
  ["tcp://nosuchinterface:*", "ENODEV", "EINVAL"],
  ["tcp://[::1", "ENODEV", undefined],
  ["tcp://192.0.2.1:5555", "EADDRNOTAVAIL", undefined],
  ["ipc://", "EINVAL", "EINVAL"],
  [`ipc:///run/${"x".repeat(200)}`, "ENAMETOOLONG", "ENAMETOOLONG"],
  ["inproc://", "EINVAL", "EINVAL"],
  // Deno says first that it has no udp without a flag.
  [
    "udp://127.0.0.1:5555",
    "ENOCOMPATPROTO",
    isDeno ? "EPROTONOSUPPORT" : "ENOCOMPATPROTO",
  ],
  ["bogus://x", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["pgm://lo;239.1.1.1:5555", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["norm://127.0.0.1:5555", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["tipc://{5560,0,0}", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["vmci://1:1", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["TCP://127.0.0.1:5555", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
];

const short = (address: string) => address.slice(0, 50) || "nothing";

for (const [address, atBind, atConnect] of MALFORMED) {
  if (atBind) {
    test(`bind to ${short(address)} is ${atBind}`, async () => {
      const context = new Context();
      const socket = use(new Pull({ context }));
      checkError(await rejection(socket.bind(address)), atBind, { address });
      // The socket is none the worse for it.
      const push = use(new Push({ context, linger: 0 }));
      push.connect(await bound(socket));
      await push.send("x");
      assert.equal(await next(socket), ["x"]);
      assert.is(context.resources.listeners, 1);
    });
  }
  if (atConnect) {
    test(`connect to ${short(address)} throws ${atConnect}`, async () => {
      const socket = use(new Push({ linger: 0 }));
      const error = thrown(() => socket.connect(address));
      checkError(error, atConnect, { address });
      const pull = use(new Pull());
      socket.connect(await bound(pull));
      await socket.send("x");
      assert.equal(await next(pull), ["x"]);
    });
  }
}

test("an address that is no string is a TypeError", () => {
  const socket = use(new Pair());
  for (const address of [undefined, null, 5555, {}, ["tcp://*:*"]]) {
    for (const method of ["bind", "unbind", "connect", "disconnect"] as const) {
      const call = () => (socket[method] as (a: unknown) => unknown)(address);
      const error = thrown(call, `${method} ${address}`);
      assert.instance(error, TypeError);
      assert.match(error.message, /Address must be a string/);
    }
  }
});

test("errno is the platform's number", async () => {
  const pull = use(new Pull());
  const address = await bound(pull);
  const numbers = os.constants.errno as Record<string, number>;
  const errors = [
    await rejection(use(new Pull()).bind(address)),
    thrown(() => pull.connect("foo")),
    await rejection(use(new Pull({ receiveTimeout: 0 })).receive()),
  ];
  pull.close();
  errors.push(thrown(() => pull.receive()));
  assert.equal(
    errors.map((error) => error.code),
    ["EADDRINUSE", "EINVAL", "EAGAIN", "EBADF"],
  );
  for (const error of errors) assert.is(error.errno, numbers[error.code]);
});

test("ipc paths that cannot be bound say why", async () => {
  const folder = freshPath("folder"), file = freshPath("file");
  mkdirSync(folder);
  writeFileSync(file, "");
  const cases: [string, RegExp, RegExp][] = [
    [`${folder}/missing/socket`, /^ENOENT$/, /no such file or directory/i],
    [`${file}/socket`, /^E(NOTDIR|NOENT|ACCES|INVAL)$/, /\w+ \w+/],
  ];
  // root may write anywhere.
  if (process.getuid?.() !== 0) {
    chmodSync(folder, 0o500);
    cases.push([`${folder}/socket`, /^EACCES$/, /permission denied/i]);
  }
  for (const [path, code, says] of cases) {
    const address = `ipc://${path}`;
    const error = await rejection(use(new Pull()).bind(address), address);
    assert.match(error.code, code, `${address}: ${error.message}`);
    checkError(error, error.code, { address, says });
  }
});

test("ipc replaces a socket left behind by a process that is gone", async () => {
  const path = freshPath();
  writeFileSync(path, "");
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  await within(pull.bind(`ipc://${path}`), "bind");
  push.connect(`ipc://${path}`);
  await push.send("x");
  assert.equal(await next(pull), ["x"]);
  await pull.unbind(`ipc://${path}`);
  while (existsSync(path)) await new Promise((r) => setTimeout(r, 1));
});

// What goes wrong after connect returned is an event, and is tried again.
const UNREACHABLE: [string, () => Promise<string>, RegExp][] = [
  [
    "a refused port",
    async () => `tcp://127.0.0.1:${await freePort()}`,
    /^ECONNREFUSED$/,
  ],
  [
    "a name that does not resolve",
    () => Promise.resolve("tcp://no.such.name.invalid:5555"),
    /^(ENOTFOUND|EAI_AGAIN)$/,
  ],
  [
    "a path without a socket",
    () => Promise.resolve(`ipc://${freshPath()}`),
    /^ENOENT$/,
  ],
];

for (const [name, where, code] of UNREACHABLE) {
  test(`${name} is an event with its reason, and is tried again`, async () => {
    const socket = use(new Push({ linger: 0, reconnectInterval: 10 }));
    const { events } = socket;
    const address = await where();
    socket.connect(address);
    let closed = 0, retried = 0;
    while (closed < 2 || retried < 2) {
      const event = await within(events.receive(), "an event");
      if (event.type === "connect:retry") retried++;
      if (event.type !== "close") continue;
      closed++;
      const { error } = event as unknown as { error?: Error };
      assert.match((error as { code?: string })?.code ?? "", code);
      assert.match(error!.message, /^connect .*\w+ \w+/);
    }
  });
}

test("bind to a host name listens at its address", async () => {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  await within(pull.bind("tcp://localhost:*"), "bind");
  assert.match(pull.lastEndpoint!, /^tcp:\/\/127\.0\.0\.1:\d+$/);
  push.connect(pull.lastEndpoint!.replace("127.0.0.1", "localhost"));
  await push.send("x");
  assert.equal(await next(pull), ["x"]);
});

test("IPv6 has to be switched on, and then both families connect", async () => {
  const error = await rejection(use(new Pull()).bind("tcp://[::1]:*"));
  assert.match(error.code, /^E(NODEV|INVAL)$/);
  const pull = use(new Pull({ ipv6: true }));
  const bindable = await pull.bind("tcp://[::1]:*").then(
    () => true,
    () => false,
  );
  if (!bindable) return; // a machine without IPv6
  const push = use(new Push({ linger: 0, ipv6: true }));
  push.connect(pull.lastEndpoint!);
  await push.send("x");
  assert.equal(await next(pull), ["x"]);
});

test("too many sockets is EMFILE", () => {
  const context = new Context({ maxSockets: 3 });
  for (let i = 0; i < 3; i++) use(new Pull({ context }));
  const error = thrown(() => new Pull({ context }));
  checkError(error, "EMFILE", { says: /Too many open/ });
});

test("those that are closed make room at once, without a turn of the event loop", async () => {
  const context = new Context();
  let turns = 0;
  const immediate = setImmediate(() => turns++);
  for (let i = 0; i < 3000; i++) {
    const socket = new Pull({ context, linger: 0 });
    socket.bindSync(`inproc://${i}`);
    socket.close();
  }
  assert.is(turns, 0);
  clearImmediate(immediate);
  // Awaits alone let the event loop turn now and then, but not after each.
  for (let i = 0; i < 3000; i++) {
    const socket = new Pull({ context, linger: 0 });
    await socket.bind("tcp://127.0.0.1:*");
    socket.close();
  }
  const open = Array.from(
    { length: 1023 },
    () => use(new Pull({ context, linger: 0 })),
  );
  const full = () => {
    checkError(thrown(() => new Pull({ context })), "EMFILE");
  };
  full();
  open[500]!.close();
  use(new Pull({ context }));
  full();
});

test("a connection that breaks before it stands says how, in words", async () => {
  const server = createServer((peer) =>
    peer.on("error", () => {}).once("data", () => peer.resetAndDestroy())
  );
  use({ close: () => void server.close() });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  const socket = use(new Push({ linger: 0, reconnectInterval: 1 }));
  const failed = new Promise<ZmqError>((resolve) =>
    socket.events.on("handshake:error:other", (event) => resolve(event.error))
  );
  socket.connect(`tcp://127.0.0.1:${port}`);
  const error = await within(failed, "the event");
  checkError(error, error.code);
  assert.match(error.code, /^(ECONNRESET|EPIPE)$/);
});

test("codes of connections have a sentence of their own", () => {
  for (
    const code of [
      ..."ECONNABORTED ECONNREFUSED ECONNRESET ENETUNREACH EPIPE".split(" "),
      ..."EHOSTUNREACH EPROTO ETIMEDOUT".split(" "),
    ]
  ) {
    checkError(new ZmqError(code, 1), code);
  }
});

test.run();
