/** What is sent and received, when operations wait, and for how long. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import {
  bound,
  closeAll,
  next,
  stays,
  thrown,
  use,
  within,
} from "../socket/tools.ts";
import { differs, outcome, run } from "./module.ts";

const test = suite("sending");
test.after.each(closeAll);

const TIMED_OUT = "EAGAIN: Operation was not possible or timed out";
const FSM = "EFSM: Operation cannot be accomplished in current state";

/** Two connected Pairs over inproc. */
let serial = 0;
async function pairs(): Promise<[zmq.Pair, zmq.Pair]> {
  const a = use(new zmq.Pair({ linger: 0 })), b = use(new zmq.Pair());
  await a.bind(`inproc://parity-${++serial}`);
  b.connect(a.lastEndpoint!);
  return [a, b];
}

/** What can be given to `send`, wrong or right. */
type Anything = zmq.MessageLike | zmq.MessageLike[];

test("values become frames", async () => {
  const [a, b] = await pairs();
  const cases: [string, unknown, string[]][] = [
    ["a string", "ä", ["ä"]],
    ["a buffer", Buffer.from("x"), ["x"]],
    ["a number", 1.5, ["1.5"]],
    ["a bigint", 5n, ["5"]],
    ["null", null, [""]],
    ["true", true, ["true"]],
    ["an object", {}, ["[object Object]"]],
    ["a date", new Date(NaN), ["Invalid Date"]],
    ["a function", (x: number) => x, ["(x) => x"]],
    ["a promise", Promise.resolve(1), ["[object Promise]"]],
    ["words", new Uint16Array([1, 2]), ["\x01\0\x02\0"]],
    ["a subarray", new Uint8Array([65, 66, 67]).subarray(1), ["BC"]],
    ["an ArrayBuffer", new ArrayBuffer(2), ["\0\0"]],
    [
      "a SharedArrayBuffer",
      new SharedArrayBuffer(2),
      differs("views", {
        native: ["[object SharedArrayBuffer]"],
        ours: ["\0\0"],
      }),
    ],
    ["null in an array", ["a", null, "b"], ["a", "", "b"]],
    ["undefined in an array", ["a", undefined], ["a", "undefined"]],
    ["an array in an array", [["a", "b"]], ["a,b"]],
  ];
  for (const [name, value, frames] of cases) {
    await b.send(value as Anything);
    assert.equal(await next(a), frames, name);
  }
  assert.is(
    await outcome(() => b.send(new DataView(new ArrayBuffer(3)))),
    differs("views", { native: "throws Error", ours: "ok" }),
  );
  assert.match(
    await outcome(() => b.send(Symbol("x") as unknown as string)),
    /TypeError/,
  );
  for (const wrong of [[], [undefined]]) {
    assert.is(
      await outcome(
        () => (b.send as (...a: unknown[]) => unknown)(...wrong),
        true,
      ),
      "throws TypeError: Message must be present",
    );
  }
});

test("an empty array sends nothing", async () => {
  const [a, b] = await pairs();
  a.receiveTimeout = 0;
  assert.is(await outcome(() => b.send([])), "ok");
  assert.is(await outcome(() => a.receive()), "EAGAIN");
});

test("frames are Buffers, each message with its own", async () => {
  const [a, b] = await pairs();
  await b.send(["a", Buffer.alloc(2000, "b")]);
  await b.send("a");
  const message = await a.receive(), other = await a.receive();
  assert.ok(message.every((frame) => Buffer.isBuffer(frame)));
  message[0]!.fill("c");
  assert.is(String(other[0]), "a");
});

test("a sent buffer belongs to its owner again", async () => {
  const [a, b] = await pairs();
  const small = Buffer.alloc(100, "a"), large = Buffer.alloc(1000, "a");
  await b.send([small, large]);
  small.fill("b");
  large.fill("b");
  const [first, second] = await next(a);
  assert.is(first![0], "a");
  assert.is(second![0], differs("alias", { native: "b", ours: "a" }));
});

test("one send and one receive at a time", async () => {
  const socket = new zmq.Dealer();
  const sent = outcome(() => socket.send("1"), true);
  const received = outcome(() => socket.receive(), true);
  assert.is(
    await outcome(() => socket.send("2"), true),
    "throws EBUSY: Socket is busy writing; only one send operation may be in progress at any time",
  );
  assert.is(
    await outcome(() => socket.receive(), true),
    "throws EBUSY: Socket is busy reading; only one receive operation may be in progress at any time",
  );
  socket.close();
  assert.is(await sent, TIMED_OUT);
  assert.is(await received, TIMED_OUT);
});

test("a send and a receive wait side by side", async () => {
  const [a, b] = [use(new zmq.Pair()), use(new zmq.Pair())];
  const sent = a.send("there"), received = next(a);
  assert.ok(await stays(Promise.race([sent, received])));
  a.connect(await bound(b));
  await within(sent, "the send");
  assert.equal(await next(b), ["there"]);
  await b.send("back");
  assert.equal(await received, ["back"]);
});

test("what can be sent at once need not be awaited", async () => {
  const [a, b] = await pairs();
  void b.send("1");
  void b.send("2");
  assert.equal([...await next(a), ...await next(a)], ["1", "2"]);
});

test("timeouts", async () => {
  const socket = use(new zmq.Dealer({ linger: 0 }));
  // The native package's timer begins at what libuv calls now: where its turn began, earlier
  // by as long as the processor was somebody else's.
  for (const timeout of [0, 200]) {
    socket.sendTimeout = socket.receiveTimeout = timeout;
    const started = performance.now();
    assert.is(await outcome(() => socket.send("x"), true), TIMED_OUT);
    assert.is(await outcome(() => socket.receive(), true), TIMED_OUT);
    assert.ok(performance.now() - started >= 1.5 * timeout);
  }
  socket.sendTimeout = socket.receiveTimeout = -1;
  const waiting = [socket.send("x"), socket.receive()];
  for (const each of waiting) assert.ok(await stays(each, 20));
  socket.close();
  for (const each of waiting) assert.is(await outcome(() => each), "EAGAIN");
});

test("high-water marks", async () => {
  const socket = use(
    new zmq.Dealer({ sendHighWaterMark: 1, sendTimeout: 10, linger: 0 }),
  );
  assert.is(socket.writable, false, "nowhere to go");
  socket.connect("tcp://127.0.0.1:1");
  assert.is(socket.writable, true, "a connection to come has a queue");
  assert.is(await outcome(() => socket.send(Buffer.alloc(8192))), "ok");
  assert.is(await outcome(() => socket.send("2")), "EAGAIN");
  assert.is(socket.writable, false);
  const publisher = use(new zmq.Publisher({ sendHighWaterMark: 1 }));
  for (let i = 0; i < 3; i++) {
    assert.is(await outcome(() => publisher.send("x")), "ok", "dropped");
  }
});

test("Request and Reply wait for their turn", async () => {
  const request = use(new zmq.Request({ linger: 0 }));
  const reply = use(new zmq.Reply());
  await reply.bind(`inproc://parity-${++serial}`);
  request.connect(reply.lastEndpoint!);
  const answer = next(request), early = reply.send("one");
  assert.ok(await stays(Promise.race([answer, early])));
  await request.send("1");
  const second = request.send("2");
  assert.ok(await stays(second));
  assert.equal(await next(reply), ["1"]);
  await within(Promise.all([early, second]), "the turns");
  assert.equal(await answer, ["one"]);
  request.sendTimeout = request.receiveTimeout = 0;
  assert.is(await outcome(() => request.send("3"), true), FSM);
  const fresh = use(new zmq.Request({ receiveTimeout: 10 }));
  assert.is(await outcome(() => fresh.receive(), true), FSM);
});

test("a mandatory Router", async () => {
  const router = use(new zmq.Router({ mandatory: true, linger: 0 }));
  const sent = outcome(() => router.send(["nobody", "x"]), true);
  assert.is(
    await Promise.race([sent, stays(sent).then(() => "waits")]),
    differs("mandatory", {
      native: "waits",
      ours: "EHOSTUNREACH: Host unreachable",
    }),
  );
  const plain = use(new zmq.Router({ linger: 0, sendTimeout: 0 }));
  assert.is(await outcome(() => plain.send(["nobody", "x"])), "ok");
  const strict = use(
    new zmq.Router({ mandatory: true, linger: 0, sendTimeout: 0 }),
  );
  assert.is(
    await outcome(() => strict.send(["nobody", "x"]), true),
    "EHOSTUNREACH: Host unreachable",
  );
});

const ROUNDS = 2500, LONGEST_MS = 3000;

test("loops of sends and receives leave room for the rest of the program", async () => {
  const [a, b] = await pairs();
  a.receiveHighWaterMark = b.sendHighWaterMark = 0;
  let ticks = 0;
  const timer = setInterval(() => ticks++, 0);
  /** Ticks in so many rounds, and more until there are some: without room there never are. */
  const during = async (round: () => Promise<unknown>): Promise<number> => {
    const before = ticks, end = performance.now() + LONGEST_MS;
    const count = () => ticks - before;
    for (let i = 0; i < ROUNDS || count() < 3; i++) {
      if (performance.now() > end) break;
      await round();
    }
    return count();
  };
  let sent = 0;
  const sending = await during(() => (sent++, b.send("x")));
  const receiving = await during(async () => {
    // As many as there are; then each is sent first.
    if (sent-- <= 0) await b.send("x");
    await a.receive();
  });
  clearInterval(timer);
  assert.ok(sending >= 3, `${sending} ticks while sending`);
  assert.ok(receiving >= 3, `${receiving} ticks while receiving`);
});

test("a one-way socket has one way", () => {
  for (
    const [Type, method] of [
      [zmq.Publisher, "receive"],
      [zmq.Push, "receive"],
      [zmq.Subscriber, "send"],
      [zmq.Pull, "send"],
    ] as const
  ) {
    assert.is(
      method in Type.prototype,
      differs("oneWay", { native: true, ours: false }),
    );
  }
});

test("an export stays what it is", async () => {
  const { code, out } = await run(`
    const zmq = z.default;
    class Other {}
    try { zmq.Push = Other; } catch {}
    console.log(zmq.Push === Other);
  `);
  assert.is(code, 0);
  assert.equal(out, [
    differs("exports", { native: "true", ours: "false" }),
  ]);
});

test("a derived class may have methods called as those that are added", () => {
  class Own extends zmq.Pull {
    override receiveText(): never {
      throw new Error("its own");
    }
  }
  const own = use(new Own());
  assert.throws(() => own.receiveText(), "its own");
  assert.is(
    "receiveText" in zmq.Pull.prototype,
    differs("derived", { native: false, ours: true }),
  );
});

test("an array with holes has frames there, too", async () => {
  const [a, b] = await pairs();
  // deno-lint-ignore no-sparse-arrays
  await a.send([, "x"] as string[]);
  assert.equal(await next(b), ["undefined", "x"]);
});

test("an empty array cannot be sent beside a message that waits", async () => {
  const push = use(new zmq.Push({ linger: 0 }));
  const waiting = push.send("x").catch(() => {});
  assert.match(await outcome(() => push.send([])), /EBUSY$/);
  push.close();
  await waiting;
});

test("what an error tells by its own properties", async () => {
  const pull = use(new zmq.Pull({ receiveTimeout: 0 }));
  const error = await pull.receive().catch((error) => error);
  assert.equal(Object.keys(error).sort(), ["code", "errno"]);
  assert.is(error.name, "Error");
  assert.is(String(error), "Error: Operation was not possible or timed out");
});

test("a prefix can be any view of bytes", () => {
  const sub = use(new zmq.Subscriber());
  for (const prefix of [new Uint16Array([1]), Buffer.from("x"), "y"]) {
    sub.subscribe(prefix as Uint8Array);
    sub.unsubscribe(prefix as Uint8Array);
  }
  assert.match(
    String(thrown(() => sub.subscribe(5 as unknown as string))),
    /^TypeError: Option value must be a string or buffer/,
  );
});

test("what is queued when it is unsubscribed from is not received", async () => {
  const pub = use(new zmq.Publisher()), sub = use(new zmq.Subscriber());
  sub.subscribe("a", "b");
  sub.connect(await bound(pub));
  const first = sub.receive();
  let there = false;
  void first.then(() => there = true);
  while (!there) {
    await pub.send("b0");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const topic of ["a1", "a2", "b1", "a3", "b2"]) await pub.send(topic);
  const got: string[] = [];
  while (got.at(-1) !== "a1") got.push(...await next(sub));
  sub.unsubscribe("a");
  while (got.at(-1) !== "b2") got.push(...await next(sub));
  assert.equal(got.filter((topic) => topic !== "b0"), ["a1", "b1", "b2"]);
});

test.run();
