/** Options: their defaults, their types and ranges, who has which. */
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import { bound, closeAll, next, stays, thrown, use } from "./tools.ts";

const test = suite("options");
test.after.each(closeAll);

type Bag = Record<string, unknown>;
const bag = (socket: unknown) => socket as Bag;

/** Name, default, another value, and one out of range. */
const NUMBERS: [string, number, number, number | undefined][] = [
  ["affinity", 0, 3, undefined],
  ["rate", 100, 5, -1],
  ["recoveryInterval", 10000, 5, -1],
  ["linger", -1, 0, -2],
  ["reconnectInterval", 100, 7, -2],
  ["backlog", 100, 7, -1],
  ["reconnectMaxInterval", 0, 7, -1],
  ["maxMessageSize", -1, 2 ** 40, undefined],
  ["tcpKeepalive", -1, 1, 2],
  ["tcpKeepaliveCount", -1, 7, -2],
  ["tcpKeepaliveIdle", -1, 7, -2],
  ["tcpKeepaliveInterval", -1, 7, -2],
  ["typeOfService", 0, 7, undefined],
  ["handshakeInterval", 30000, 0, -1],
  ["heartbeatInterval", 0, 7, -1],
  ["heartbeatTimeout", -1, 7, -2],
  ["connectTimeout", 0, 7, -1],
  ["tcpMaxRetransmitTimeout", 0, 7, -1],
  ["sendBufferSize", -1, 7, -2],
  ["sendHighWaterMark", 1000, 0, -1],
  ["sendTimeout", -1, 7, -2],
  ["receiveBufferSize", -1, 7, -2],
  ["receiveHighWaterMark", 1000, 0, -1],
  ["receiveTimeout", -1, 7, -2],
];

for (const [name, initial, other, wrong] of NUMBERS) {
  test(`${name} is a number with a range`, () => {
    const socket = bag(use(new zmq.Dealer()));
    assert.is(socket[name], initial);
    socket[name] = other;
    assert.is(socket[name], other);
    const refuse = (value: unknown, type: boolean) => {
      const error = thrown(() => socket[name] = value, `${value}`);
      if (type) {
        assert.instance(error, TypeError);
        assert.match(error.message, /Option value must be a number/);
      } else {
        assert.is(error.code, "EINVAL", `${value}: ${error.message}`);
        assert.match(error.message, new RegExp(`${name} = `));
      }
      assert.is(socket[name], other, `after ${value}`);
    };
    for (const value of ["5", null, undefined, true, {}, NaN]) {
      refuse(value, true);
    }
    if (wrong !== undefined) refuse(wrong, false);
    // What does not fit must not be cut to something else.
    if (name === "affinity") {
      // As the native package does it.
      socket[name] = -Infinity;
      assert.is(socket[name], 0);
      socket[name] = 1e30;
      assert.is(socket[name], 2 ** 64);
      return;
    }
    for (const value of [1e30, Infinity, -Infinity, -1e30]) {
      refuse(value, false);
    }
    if (!["maxMessageSize", "typeOfService"].includes(name)) {
      for (const value of [2 ** 31, 2 ** 32 + 5]) refuse(value, false);
    }
    // Given to the constructor it means the same.
    const given = bag(use(new zmq.Dealer({ [name]: other } as object)));
    assert.is(given[name], other);
  });
}

const BOOLEANS = [
  "immediate",
  "ipv6",
  "plainServer",
  "curveServer",
  "zapEnforceDomain",
];

for (const name of BOOLEANS) {
  test(`${name} is a boolean`, () => {
    const socket = bag(use(new zmq.Dealer({ zapDomain: "x" })));
    assert.is(socket[name], false);
    socket[name] = true;
    assert.is(socket[name], true);
    for (const value of [1, 0, "true", null, undefined]) {
      const error = thrown(() => socket[name] = value, `${value}`);
      assert.instance(error, TypeError);
      assert.match(error.message, /Option value must be a boolean/);
    }
    assert.is(socket[name], true);
  });
}

for (
  const [name, value] of [
    ["plainUsername", "admin"],
    ["plainPassword", "sesame ✓"],
    ["zapDomain", "global"],
    ["routingId", "me"],
  ] as const
) {
  test(`${name} is a text`, () => {
    const socket = bag(use(new zmq.Dealer()));
    assert.is(socket[name], null);
    socket[name] = value;
    assert.is(socket[name], value);
    for (const wrong of [5, true, undefined, {}]) {
      const error = thrown(() => socket[name] = wrong, `${wrong}`);
      assert.instance(error, TypeError);
      assert.match(error.message, /Option value must be a string or buffer/);
    }
    const error = thrown(() => socket[name] = "secret".repeat(50));
    assert.is(error.code, "EINVAL");
    if (name === "plainPassword") assert.not.match(error.message, /secret/);
    assert.is(socket[name], value);
  });
}

test("what is secret can be set and is never in a message", () => {
  const socket = use(new zmq.Dealer());
  const { publicKey, secretKey } = zmq.curveKeyPair();
  socket.curvePublicKey = publicKey;
  socket.curveSecretKey = secretKey;
  socket.curveServerKey = publicKey;
  assert.is(socket.curvePublicKey, publicKey);
  assert.is(socket.securityMechanism, "curve");
  const error = thrown(() => socket.curveSecretKey = "hunter2");
  assert.is(error.code, "EINVAL");
  assert.not.match(error.message, /hunter2/);
});

test("an option that does not exist is a TypeError", () => {
  for (const Type of [zmq.Dealer, zmq.Pull, zmq.Publisher]) {
    const error = thrown(() => new Type({ noSuchOption: 1 } as object));
    assert.instance(error, TypeError);
    assert.match(error.message, /noSuchOption/);
    assert.throws(() => bag(use(new Type())).noSuchOption = 1, TypeError);
  }
  // Options of other types are none either.
  const foreign: [() => unknown, string][] = [
    [() => new zmq.Pull({ sendTimeout: 1 } as object), "sendTimeout"],
    [() => new zmq.Push({ receiveTimeout: 1 } as object), "receiveTimeout"],
    [() => new zmq.Dealer({ mandatory: true } as object), "mandatory"],
    [() => new zmq.Pair({ conflate: true } as object), "conflate"],
    [() => new zmq.Context({ threads: 1 } as object), "threads"],
  ];
  for (const [call, name] of foreign) {
    const error = thrown(call, name);
    assert.instance(error, TypeError);
    assert.match(error.message, new RegExp(name));
  }
});

test("a constructor that fails leaves no socket", () => {
  const context = new zmq.Context({ maxSockets: 2 });
  for (let i = 0; i < 5; i++) {
    thrown(() => new zmq.Dealer({ context, linger: -7 }));
    thrown(() => new zmq.Dealer({ context, linger: "x" as unknown as number }));
  }
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() =>
    assert.is(context.resources.sockets, 0)
  );
});

test("constructor arguments of the wrong kind are TypeErrors", () => {
  const Make = zmq.Dealer as new (options: unknown) => unknown;
  for (const options of [null, 5, "x"]) {
    assert.match(
      thrown(() => new Make(options), `${options}`).message,
      /Options must be an object/,
    );
  }
  const options = { context: new zmq.Context(), linger: 0 };
  const { context } = options;
  assert.is(use(new zmq.Dealer(options)).context, context);
  assert.is(options.context, context, "the caller's object is left alone");
});

test("read-only options cannot be set; what libzmq does not tell is remembered", () => {
  const socket = bag(use(new zmq.Router()));
  for (const name of ["type", "lastEndpoint", "threadSafe", "closed"]) {
    assert.throws(() => socket[name] = 1, TypeError, name);
  }
  for (const name of ["mandatory", "handover", "probeRouter"]) {
    assert.is(socket[name], false, name);
    socket[name] = true;
    assert.is(socket[name], true, name);
  }
  assert.equal(Object.keys(socket), []);
});

test("lastEndpoint is where the socket really is", async () => {
  const socket = use(new zmq.Pull());
  assert.is(socket.lastEndpoint, null);
  await socket.bind("tcp://127.0.0.1:*");
  assert.match(socket.lastEndpoint!, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  await socket.bind("tcp://*:*");
  assert.match(socket.lastEndpoint!, /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/);
  await socket.bind("inproc://here");
  assert.is(socket.lastEndpoint, "inproc://here");
  await socket.bind("ipc://*");
  assert.match(socket.lastEndpoint!, /^ipc:\/\/\/.+/);
});

test("a timeout changed later holds for the next operation", async () => {
  const socket = use(new zmq.Pull({ receiveTimeout: 0 }));
  assert.is((await socket.receive().catch((e) => e)).code, "EAGAIN");
  socket.receiveTimeout = -1;
  assert.ok(await stays(socket.receive()));
});

test("a warning of a late option is not given where it is refused", async () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => void warnings.push(warning.message);
  process.on("warning", listen);
  const socket = use(new zmq.Dealer());
  socket.connect("inproc://options-late");
  assert.is(thrown(() => socket.reconnectInterval = -5).code, "EINVAL");
  const text = thrown(() => bag(socket)["affinity"] = "5");
  assert.instance(text, TypeError);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(warnings, []);
  socket.reconnectInterval = 5;
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", listen);
  assert.equal(warnings, [
    "Socket option will not take effect until next connect/bind.",
  ]);
});

test("context options", () => {
  const context = new zmq.Context();
  const { ioThreads, maxSockets, maxMessageSize, ipv6, blocky } = context;
  assert.equal(
    { ioThreads, maxSockets, maxMessageSize, ipv6, blocky },
    {
      ioThreads: 1,
      maxSockets: 1023,
      maxMessageSize: 2147483647,
      ipv6: false,
      blocky: true,
    },
  );
  assert.is(context.maxSocketsLimit, 65535);
  const other = new zmq.Context({ ipv6: true, blocky: false });
  assert.is(use(new zmq.Pull({ context: other })).ipv6, true);
  assert.is(use(new zmq.Pull({ context: other })).linger, 0);
  for (const [name, value] of Object.entries({ ipv6: 1, maxSockets: "1" })) {
    assert.instance(thrown(() => bag(context)[name] = value), TypeError, name);
  }
  for (const value of [-1, 0, 2 ** 32 + 5, Infinity]) {
    const error = thrown(() => context.maxSockets = value, `${value}`);
    assert.is(error.code, "EINVAL", `maxSockets ${value}`);
  }
  assert.is(context.maxSockets, 1023);
});

test("maxMessageSize ends the connection of who sends more", async () => {
  const pull = use(new zmq.Pull({ maxMessageSize: 1000 }));
  const push = use(new zmq.Push({ linger: 0, reconnectInterval: 10 }));
  push.connect(await bound(pull));
  await push.send(new Uint8Array(1001));
  await push.send("small");
  // Only what comes over a new connection arrives.
  const received = next(pull);
  let done = false;
  void received.finally(() => done = true).catch(() => {});
  while (!done) {
    await push.send("small");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(await received, ["small"]);
});

test.run();
