/** Every socket type over every transport: a message there and one back. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import {
  anywhere,
  bound,
  closeAll,
  next,
  type Transport,
  TRANSPORTS,
  use,
  within,
} from "./tools.ts";

const test = suite("types");
test.after.each(closeAll);

/** Any socket: which methods it has is what the tests find out. */
type Any = zmq.Socket & zmq.Writable & zmq.Readable & {
  subscribe(...prefixes: string[]): void;
};
type Make = () => Any;

const make = (Type: unknown) => () =>
  use(new (Type as new (o: object) => Any)({ linger: 0 }));

/** What the two ends of a pattern say to each other once they are connected. */
type Talk = (a: Any, b: Any) => Promise<void>;

const there: Talk = async (a, b) => {
  await a.send(["there", "", "1"]);
  assert.equal(await next(b), ["there", "", "1"]);
};
const thereAndBack: Talk = async (a, b) => {
  await there(a, b);
  await b.send("back");
  assert.equal(await next(a), ["back"]);
};
/** `a` names its peers, `b` speaks first. */
const named: Talk = async (a, b) => {
  await b.send("there");
  const [id, ...rest] = await within(a.receive(), "a message");
  assert.equal(rest.map(String), ["there"]);
  await a.send([id!, "back"]);
  assert.equal(await next(b), ["back"]);
};
const subscribed: Talk = async (a, b) => {
  assert.equal(await next(a), ["\x01t"]);
  await a.send("other");
  await there(a, b);
};
/** Both name their peers; the connecting end has to know the other's name. */
const bothNamed: Talk = async (a, b) => {
  await b.send(["server", "there"]);
  const message = await next(a);
  assert.equal(message, ["client", "there"]);
  await a.send(["client", "back"]);
  assert.equal(await next(b), ["server", "back"]);
};

const PATTERNS: [string, Make, Make, Talk][] = [
  ["Pair-Pair", make(zmq.Pair), make(zmq.Pair), thereAndBack],
  ["Push-Pull", make(zmq.Push), make(zmq.Pull), there],
  ["Request-Reply", make(zmq.Request), make(zmq.Reply), thereAndBack],
  ["Dealer-Dealer", make(zmq.Dealer), make(zmq.Dealer), thereAndBack],
  ["Router-Dealer", make(zmq.Router), make(zmq.Dealer), named],
  ["XPublisher-Subscriber", make(zmq.XPublisher), () => {
    const socket = make(zmq.Subscriber)();
    socket.subscribe("t");
    return socket;
  }, subscribed],
  ["XPublisher-XSubscriber", make(zmq.XPublisher), () => {
    const socket = make(zmq.XSubscriber)();
    // Sent on to each peer there will be.
    void socket.send("\x01t");
    return socket;
  }, subscribed],
  ["Publisher-Subscriber", make(zmq.Publisher), () => {
    const socket = make(zmq.Subscriber)();
    socket.subscribe("t");
    return socket;
  }, async (a, b) => {
    const received = next(b);
    let done = false;
    void received.finally(() => done = true).catch(() => {});
    // A Publisher does not learn when its subscriber is there.
    while (!done) {
      await a.send("other");
      await a.send(["there", "1"]);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.equal(await received, ["there", "1"]);
  }],
  [
    "Router-Router",
    () =>
      use(new zmq.Router({ linger: 0, routingId: "server" }) as unknown as Any),
    () =>
      use(
        new zmq.Router({
          linger: 0,
          routingId: "client",
          mandatory: true,
        }) as unknown as Any,
      ),
    bothNamed,
  ],
];

async function join(
  a: Any,
  b: Any,
  transport: Transport,
  who: "bind" | "connect" | "connect first",
) {
  const [binder, connecter] = who === "bind" ? [a, b] : [b, a];
  const named = connecter instanceof zmq.Router && binder instanceof zmq.Router;
  const connect = (address: string) =>
    named
      ? connecter.connect(address, {
        routingId: who === "bind" ? "server" : "client",
      })
      : connecter.connect(address);
  if (who === "connect first") {
    const address = anywhere(transport);
    connect(address);
    await binder.bind(address);
  } else connect(await bound(binder, transport));
}

for (const transport of TRANSPORTS) {
  for (const [name, left, right, talk] of PATTERNS) {
    const ways = transport === "inproc"
      ? ["bind", "connect", "connect first"] as const
      : ["bind", "connect"] as const;
    for (const who of ways) {
      // In libzmq an XPUB that connects learns of subscriptions when it first sends.
      if (talk === subscribed && who !== "bind") continue;
      test(`${name} over ${transport}, the first one ${who}s`, async () => {
        const a = left(), b = right();
        await join(a, b, transport, who);
        // Of two Routers, the one that connected knows the other at once.
        if (talk === bothNamed && who !== "bind") {
          await a.send(["client", "there"]);
          assert.equal(await next(b), ["server", "there"]);
          await b.send(["server", "back"]);
          assert.equal(await next(a), ["client", "back"]);
        } else await within(talk(a, b), name);
      });
    }
  }
}

for (const transport of ["tcp", "ipc"] as const) {
  test(`Stream-Stream over ${transport}`, async () => {
    const a = make(zmq.Stream)(), b = make(zmq.Stream)();
    b.connect(await bound(a, transport));
    const ids: Uint8Array[] = [];
    for (const end of [a, b]) {
      const [id, empty] = await within(end.receive(), "the notice");
      assert.is(empty!.length, 0, "a connection is told by an empty frame");
      ids.push(id!);
    }
    await b.send([ids[1]!, "there"]);
    assert.equal((await next(a)).slice(1), ["there"]);
    await a.send([ids[0]!, "back"]);
    assert.equal((await next(b)).slice(1), ["back"]);
    // The end that accepted is told that the other is gone.
    b.close();
    assert.equal((await next(a)).slice(1), [""]);
  });
}

test("a type has the methods it can use and no others", () => {
  const methods: [keyof typeof zmq, string][] = [
    ["Publisher", "receive"],
    ["Subscriber", "send"],
    ["Pull", "send"],
    ["Push", "receive"],
    ["Dealer", "subscribe"],
  ];
  for (const [type, method] of methods) {
    const prototype = (zmq[type] as { prototype: object }).prototype;
    assert.not.ok(method in prototype, `${type}.${method}`);
  }
});

test("type numbers are libzmq's", () => {
  const names = [
    "Pair",
    "Publisher",
    "Subscriber",
    "Request",
    "Reply",
    "Dealer",
    "Router",
    "Pull",
    "Push",
    "XPublisher",
    "XSubscriber",
    "Stream",
  ] as const;
  names.forEach((name, i) => {
    const socket = use(new zmq[name]());
    assert.is(socket.type, i, name);
    assert.is(socket.threadSafe, false);
    assert.is(socket.closed, false);
    assert.is(socket.context, zmq.context);
  });
});

test("classes have the names under which they are exported", () => {
  for (const [name, type] of Object.entries({ ...zmq, ...zmq.draft })) {
    if (typeof type === "function" && type.prototype !== undefined) {
      assert.is(type.name, name);
    }
  }
});

test("options are enumerable, methods are not", () => {
  for (const [name, Type] of Object.entries({ ...zmq, ...zmq.draft })) {
    if (typeof Type !== "function" || !(Type.prototype instanceof zmq.Socket)) {
      continue;
    }
    const seen = [];
    for (
      let of = Type.prototype as object | null;
      of !== null;
      of = Object.getPrototypeOf(of)
    ) {
      for (
        const [property, { value, enumerable }] of Object.entries(
          Object.getOwnPropertyDescriptors(of),
        )
      ) {
        if (!enumerable) continue;
        assert.is(value, undefined, `${name}.${property}`);
        seen.push(property);
      }
    }
    assert.ok(seen.includes("linger"), name);
  }
});

test.run();
