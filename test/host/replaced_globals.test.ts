/** Clocks and random numbers that a program replaces, as test suites do, stop no socket. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { curveKeyPair, Pair, Pull, Push, Reply, Request } from "zeromq-wasm";
import { Certificate } from "zeromq-wasm/auth";
import {
  bound,
  closeAll,
  freshPath,
  isBun,
  isDeno,
  next,
  runProgram,
  use,
  within,
} from "../socket/tools.ts";

const test = suite("replaced globals");
test.after.each(closeAll);

/** Runs `use` with another value of a property. */
async function replacing(
  of: object,
  name: string,
  value: unknown,
  use: () => Promise<void>,
): Promise<void> {
  const kept = Object.getOwnPropertyDescriptor(of, name);
  try {
    Object.defineProperty(of, name, { value, configurable: true });
    await use();
  } finally {
    if (kept) Object.defineProperty(of, name, kept);
    else Reflect.deleteProperty(of, name);
  }
}

const broken = () => {
  throw new Error("not this one");
};

const CLOCKS: [string, object, string, unknown][] = [
  ["a clock that stands still", performance, "now", () => 0],
  ["no clock", globalThis, "performance", undefined],
];
for (const [what, of, name, value] of CLOCKS) {
  test(`${what}: a connection is tried again`, async () => {
    const push = use(new Push({ linger: 0, reconnectInterval: 1 }));
    const probe = new Pull();
    const address = await bound(probe);
    await within(probe.unbind(address), "unbind");
    probe.close();
    // Its own clock: that of the test stands still meanwhile.
    let retried = 0;
    const again = new Promise<void>((done) =>
      push.events.on("connect:retry", () => ++retried === 3 && done())
    );
    await replacing(of, name, value, async () => {
      push.connect(address);
      await within(again, "attempts");
    });
    const pull = use(new Pull());
    await within(pull.bind(address), "bind");
    await within(push.send("x"), "sending");
    assert.equal(await next(pull), ["x"]);
  });

  test(`${what}: a thousand round trips`, () =>
    replacing(of, name, value, async () => {
      const reply = use(new Reply()), request = use(new Request({ linger: 0 }));
      request.connect(await bound(reply));
      for (let i = 0; i < 1000; i++) {
        await request.send("question");
        await within(reply.receive(), "the question");
        await reply.send("answer");
        await within(request.receive(), "the answer");
      }
    }));
}

const RANDOM: [string, object, string, unknown][] = [
  ["crypto without functions", globalThis, "crypto", {}],
  ["no crypto", globalThis, "crypto", undefined],
  ["crypto whose functions are others", crypto, "getRandomValues", broken],
];
for (const [what, of, name, value] of RANDOM) {
  test(`${what}: inproc, keys and certificates`, () =>
    replacing(of, name, value, async () => {
      const a = use(new Pair()), b = use(new Pair());
      // In the default context, which tells other threads of it.
      b.connect(await bound(a, "inproc"));
      await within(b.send("x"), "sending");
      assert.equal(await next(a), ["x"]);
      const keys = curveKeyPair(), others = curveKeyPair();
      assert.is.not(keys.secretKey, others.secretKey);
      const path = freshPath("certificate");
      await Certificate.create().savePublic(path);
      await Certificate.load(path);
    }));
}

// Others need theirs from the start.
const nodeTest = isDeno || isBun ? test.skip : test;
nodeTest("no crypto from the start: inproc and keys", async () => {
  const { out, err } = await runProgram(`
    Object.defineProperty(globalThis, "crypto", { value: undefined });
    const zmq = await import("zeromq-wasm");
    const pair = new zmq.Pair();
    await pair.bind("inproc://it");
    console.log(zmq.curveKeyPair().publicKey.length);
    pair.close();`);
  assert.is(out, "40\n", err);
});

test.run();
