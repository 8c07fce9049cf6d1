/** Which options there are, what they are at first, what they take, and when. */
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import { closeAll, isBun, use } from "../socket/tools.ts";
import { differs, isNative, outcome } from "./module.ts";

const test = suite("options");
test.after.each(closeAll);

type Bag = Record<string, unknown>;
const bag = (socket: unknown) => socket as Bag;

/** Options of every socket, and what they are at first. */
const COMMON: Bag = {
  affinity: 0,
  backlog: 100,
  connectTimeout: 0,
  curveServer: false,
  handshakeInterval: 30000,
  heartbeatInterval: 0,
  heartbeatTimeToLive: 0,
  heartbeatTimeout: -1,
  immediate: false,
  interface: null,
  ipv6: false,
  lastEndpoint: null,
  linger: -1,
  loopbackFastPath: false,
  maxMessageSize: -1,
  multicastMaxTransportDataUnit: 1500,
  plainPassword: null,
  plainServer: false,
  plainUsername: null,
  rate: 100,
  reconnectInterval: 100,
  reconnectMaxInterval: 0,
  recoveryInterval: 10000,
  securityMechanism: null,
  socksProxy: null,
  tcpKeepalive: -1,
  tcpKeepaliveCount: -1,
  tcpKeepaliveIdle: -1,
  tcpKeepaliveInterval: -1,
  tcpMaxRetransmitTimeout: 0,
  threadSafe: false,
  typeOfService: 0,
  zapDomain: null,
  zapEnforceDomain: false,
};
const SENDER: Bag = {
  multicastHops: 1,
  sendBufferSize: -1,
  sendHighWaterMark: 1000,
  sendTimeout: -1,
};
const RECEIVER: Bag = {
  receiveBufferSize: -1,
  receiveHighWaterMark: 1000,
  receiveTimeout: -1,
};

/** What each class adds; `undefined`: libzmq lets it be set only. */
const CLASSES: [new () => zmq.Socket, number, Bag][] = [
  [zmq.Pair, 0, { ...SENDER, ...RECEIVER }],
  [zmq.Publisher, 1, {
    ...SENDER,
    conflate: undefined,
    invertMatching: false,
    noDrop: undefined,
  }],
  [zmq.Subscriber, 2, {
    ...RECEIVER,
    // What it sends are subscriptions.
    linger: 0,
    conflate: undefined,
    invertMatching: false,
  }],
  [zmq.Request, 3, {
    ...SENDER,
    ...RECEIVER,
    correlate: undefined,
    probeRouter: undefined,
    relaxed: undefined,
    routingId: null,
  }],
  [zmq.Reply, 4, { ...SENDER, ...RECEIVER, routingId: null }],
  [zmq.Dealer, 5, {
    ...SENDER,
    ...RECEIVER,
    conflate: undefined,
    probeRouter: undefined,
    routingId: null,
  }],
  [zmq.Router, 6, {
    ...SENDER,
    ...RECEIVER,
    handover: undefined,
    probeRouter: undefined,
    routingId: null,
  }],
  [zmq.Pull, 7, { ...RECEIVER, conflate: undefined }],
  [zmq.Push, 8, { ...SENDER, conflate: undefined }],
  [zmq.XPublisher, 9, {
    ...SENDER,
    ...RECEIVER,
    invertMatching: false,
    manual: undefined,
    noDrop: undefined,
    welcomeMessage: undefined,
  }],
  [zmq.XSubscriber, 10, { ...SENDER, ...RECEIVER, linger: 0 }],
  [zmq.Stream, 11, { ...SENDER, ...RECEIVER, notify: undefined }],
];

const AT_FIRST: Bag = { notify: true, welcomeMessage: null };

for (const [Type, type, own] of CLASSES) {
  test(`${Type.name} has its options`, () => {
    const socket = bag(use(new Type()));
    assert.is(socket["type"], type);
    for (const [name, value] of Object.entries({ ...COMMON, ...own })) {
      assert.ok(name in socket, name);
      const expected = value !== undefined ? value : differs("remembered", {
        native: undefined,
        ours: name in AT_FIRST ? AT_FIRST[name] : false,
      });
      assert.is(socket[name], expected, name);
    }
    for (const { 2: others } of CLASSES) {
      for (const name of Object.keys(others)) {
        if (name in own || name in COMMON) continue;
        assert.is(name in socket, false, `no ${name}`);
        assert.throws(() => socket[name] = 1, TypeError, name);
      }
    }
    assert.equal(Object.keys(socket), []);
    assert.ok(Object.isSealed(socket));
  });
}

test("GSSAPI is as `capability` says", () => {
  assert.is("gssapiServer" in use(new zmq.Dealer()), zmq.capability.gssapi);
});

test("options are set to what was given", () => {
  const socket = use(new zmq.Dealer({ routingId: "me", linger: 5 }));
  assert.is(socket.routingId, "me");
  assert.is(socket.linger, 5);
  socket.linger = 1.7;
  assert.is(socket.linger, 1);
  socket.plainUsername = "user";
  assert.is(socket.plainUsername, "user");
  assert.is(socket.securityMechanism, "plain");
  socket.plainUsername = null;
  assert.is(socket.securityMechanism, null);
  socket.affinity = -1;
  assert.is(socket.affinity, 0);
  socket.maxMessageSize = 2 ** 40;
  assert.is(socket.maxMessageSize, 2 ** 40);
  const router = use(new zmq.Router());
  assert.is(
    shown(() => router.mandatory),
    differs("remembered", { native: "EINVAL", ours: "false" }),
  );
  const { publicKey } = zmq.curveKeyPair();
  socket.curveServerKey = publicKey;
  assert.is(
    shown(() => socket.curveServerKey),
    differs("keys", { native: "EINVAL", ours: publicKey }),
  );
});

/** The value as text, or the code of the error. */
function shown(read: () => unknown): string {
  try {
    return String(read());
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("wrong values", async () => {
  const socket = use(new zmq.XPublisher());
  const set = (name: string, value: unknown) =>
    outcome(() => bag(socket)[name] = value, true);
  const number = "throws TypeError: Option value must be a number";
  assert.is(await set("linger", "1"), number);
  assert.is(await set("linger", undefined), number);
  assert.is(
    await set("immediate", 1),
    "throws TypeError: Option value must be a boolean",
  );
  assert.is(
    await set("zapDomain", 1),
    "throws TypeError: Option value must be a string or buffer",
  );
  assert.match(
    await set("noSuchOption", 1),
    // Bun's engine has words of its own.
    isBun
      ? /^throws TypeError: .*not extensible/
      : /^throws TypeError: Cannot add property noSuchOption, object is not extensible$/,
  );
  for (
    const [name, value] of [
      ["linger", -2],
      ["reconnectMaxInterval", -1],
      ["sendHighWaterMark", -1],
      ["multicastHops", 0],
      ["heartbeatTimeToLive", 6553600],
      ["plainUsername", "x".repeat(256)],
      ["curveServerKey", "short"],
      ["tcpAcceptFilter", "nonsense"],
    ] as const
  ) {
    const error = await set(name, value);
    assert.match(error, /^throws EINVAL: Invalid argument/, name);
    assert.is(
      error.includes(`: ${name} = ${value}`),
      differs("messages", { native: false, ours: true }),
    );
  }
  assert.is(
    await outcome(() => socket.linger = 2 ** 40),
    differs("range", { native: "ok", ours: "throws EINVAL" }),
  );
  assert.is(
    await outcome(() => socket.linger = NaN),
    differs("range", { native: "ok", ours: "throws TypeError" }),
  );
  assert.is(
    await set("verbosity", "loud"),
    differs("verbosity", {
      native: "ok",
      ours:
        'throws TypeError: verbosity must be null, "allSubs" or "allSubsUnsubs": loud',
    }),
  );
  assert.throws(() => bag(socket)["type"] = 1, TypeError);
  assert.throws(() => bag(socket)["closed"] = true, TypeError);
});

test("wrong arguments of constructors", async () => {
  const make = (Type: unknown, ...values: unknown[]) =>
    outcome(
      () => Reflect.construct(Type as new () => unknown, values),
      true,
    );
  const options = "throws TypeError: Options must be an object";
  assert.is(await make(zmq.Dealer, 5), options);
  assert.is(await make(zmq.Context, 5), options);
  assert.is(
    await make(zmq.Socket),
    "throws TypeError: Socket type must be a number",
  );
  assert.is(await make(zmq.Socket, 99), "throws EINVAL: Invalid argument");
  assert.match(await make(zmq.Dealer, { foo: 1 }), /^throws TypeError: .*foo/);
  assert.match(await make(zmq.Context, { foo: 1 }), /^throws TypeError: .*foo/);
  assert.match(await make(zmq.Dealer, { context: {} }), /^throws \w*Error/);
  assert.match(await make(zmq.Context, { maxSockets: -1 }), /^throws EINVAL/);
  assert.is(
    await make(zmq.Socket, 5, {}, 1),
    differs("arguments", {
      native: "throws TypeError: Expected 2 arguments but received 3",
      ours: "ok",
    }),
  );
  zmq.context.blocky = false;
  zmq.context.blocky = true;
});

test("the caller's options", () => {
  const context = new zmq.Context();
  const options = { context, linger: 0 };
  use(new zmq.Dealer(options));
  assert.equal(
    Object.keys(options),
    differs("context", { native: ["linger"], ours: ["context", "linger"] }),
  );
});

test("`new Socket(type)` makes a socket of any type", async () => {
  const Socket = zmq.Socket as unknown as new (
    type: number,
    options?: object,
  ) => zmq.Pair;
  const a = use(new Socket(0, { linger: 0 })), b = use(new Socket(0));
  assert.instance(a, zmq.Socket);
  await a.bind("inproc://parity-any");
  b.connect("inproc://parity-any");
  await a.send("x");
  assert.equal((await b.receive()).map(String), ["x"]);
  class Mine extends Socket {
    constructor() {
      super(8);
    }
  }
  const mine = use(new Mine());
  assert.is(mine.type, 8);
  assert.type(mine.send, "function");
});

test("subclasses reach options by number", () => {
  class Mine extends zmq.Dealer {
    get(): unknown[] {
      this.setInt32Option(17, 7);
      this.setStringOption(5, "me");
      this.setBoolOption(39, true);
      return [
        this.getInt32Option(17),
        this.getStringOption(5),
        this.getBoolOption(39),
        this.getInt64Option(22),
        this.getUint64Option(4),
        this.getUint32Option(57),
      ];
    }
  }
  assert.equal(use(new Mine()).get(), [7, "me", true, -1, 0, 0]);
});

test("options of contexts", () => {
  const context = new zmq.Context({ maxSockets: 5, ipv6: true });
  assert.is(context.maxSockets, 5);
  assert.is(context.ipv6, true);
  assert.is(context.ioThreads, 1);
  assert.is(context.maxMessageSize, 2 ** 31 - 1);
  assert.is(context.blocky, true);
  assert.is(context.maxSocketsLimit, 65535);
  assert.throws(() => bag(context)["maxSocketsLimit"] = 1, TypeError);
  context.threadPriority = 1;
  assert.is(
    context.threadPriority,
    differs<unknown>("remembered", { native: undefined, ours: 1 }),
  );
  assert.ok(Object.isSealed(context));
  assert.is(use(new zmq.Dealer({ context })).ipv6, true);
  context.blocky = false;
  assert.is(use(new zmq.Dealer({ context })).linger, 0);
});

test("too many sockets", async () => {
  const context = new zmq.Context({ maxSockets: 1 });
  use(new zmq.Dealer({ context }));
  assert.is(
    await outcome(() => new zmq.Dealer({ context }), true),
    "throws EMFILE: Too many open file descriptors",
  );
});

test("what is set too late gives a warning", async () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => void warnings.push(warning.message);
  process.on("warning", listen);
  const late = "Socket option will not take effect until next connect/bind.";
  const told = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return warnings.splice(0);
  };
  const socket = use(new zmq.Dealer());
  socket.maxMessageSize = 10;
  assert.equal(await told(), []);
  await socket.bind("inproc://parity-late");
  socket.maxMessageSize = 20;
  assert.equal(await told(), [late]);
  assert.is(socket.maxMessageSize, 20);
  socket.linger = socket.sendTimeout = socket.receiveHighWaterMark = 1;
  socket.probeRouter = false;
  assert.equal(await told(), []);
  socket.affinity = 2 ** 60;
  assert.equal(await told(), [
    late,
    "Value is larger than Number.MAX_SAFE_INTEGER and may have been rounded inaccurately.",
  ]);
  await socket.unbind("inproc://parity-late");
  socket.maxMessageSize = 30;
  assert.equal(await told(), []);
  process.off("warning", listen);
});

test("the module exports the names of the native one", () => {
  const names =
    "version capability curveKeyPair context Context Socket Observer Proxy Pair Publisher Subscriber Request Reply Dealer Router Pull Push XPublisher XSubscriber Stream"
      .split(" ");
  for (const name of names) assert.ok(name in zmq, name);
  if (isNative) {
    const { default: cjs } = zmq as unknown as { default: object };
    assert.equal(Object.keys(cjs).sort(), names.sort());
  }
  for (const value of Object.values(zmq.capability)) {
    assert.type(value, "boolean");
  }
  assert.match(zmq.version, /^4\.3\.\d$/);
  const keys = zmq.curveKeyPair();
  assert.equal(Object.keys(keys).sort(), ["publicKey", "secretKey"]);
  assert.is(keys.secretKey.length, 40);
});

test.run();
