/** Timers that a program replaces once the package is loaded, as test suites do, stop no socket. */
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pull, Push, Reply, Request } from "zeromq-wasm";
import { Authenticator } from "zeromq-wasm/auth";
import * as v5 from "zeromq-wasm/v5-compat";
import {
  bound,
  checkError,
  closeAll,
  isBun,
  isDeno,
  next,
  rejection,
  runProgram,
  until,
  use,
  within,
} from "../socket/tools.ts";

const test = suite("replaced timers");
test.after.each(closeAll);

// deno-lint-ignore no-explicit-any
type Replacements = Record<string, (...args: any[]) => unknown>;

const nothing = () => undefined;
const { setTimeout, setInterval } = globalThis;

/** What test suites and pages make of the globals. */
const WAYS: Record<string, Replacements> = {
  "timers that never fire": {
    setTimeout: nothing,
    setInterval: nothing,
    setImmediate: nothing,
    queueMicrotask: nothing,
  },
  "timers that are numbers": {
    setTimeout: (task, ms) => Number(setTimeout(task, ms)),
    setInterval: (task, ms) => Number(setInterval(task, ms)),
  },
};

/** Runs `use` with these in the place of what `of` has. */
async function replacing(
  of: object,
  others: Replacements,
  use: () => Promise<void>,
): Promise<void> {
  const kept = Object.keys(others).map((name) =>
    [name, Object.getOwnPropertyDescriptor(of, name)!] as const
  );
  try {
    for (const [name] of kept) {
      const value = others[name];
      Object.defineProperty(of, name, { value, configurable: true });
    }
    await use();
  } finally {
    for (const [name, as] of kept) Object.defineProperty(of, name, as);
  }
}

async function pair() {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  push.connect(await bound(pull));
  return { pull, push };
}

const TASKS: Record<string, () => Promise<void>> = {
  async "a request has its reply"() {
    const reply = use(new Reply()), request = use(new Request({ linger: 0 }));
    request.connect(await bound(reply));
    await within(request.send("question"), "sending");
    assert.equal(await next(reply), ["question"]);
    await reply.send("answer");
    assert.equal(await next(request), ["answer"]);
  },
  async "receive ends when its time is over"() {
    const { pull } = await pair();
    pull.receiveTimeout = 20;
    checkError(await rejection(pull.receive()), "EAGAIN");
  },
  async "a thousand messages arrive, awaited one by one"() {
    const { pull, push } = await pair();
    for (let i = 0; i < 1000; i++) {
      await within(push.send(String(i)), `sending ${i}`);
      assert.equal(await next(pull, `message ${i}`), [String(i)]);
    }
  },
  async "a connection is tried again"() {
    const push = use(new Push({ linger: 0, reconnectInterval: 1 }));
    const probe = new Pull();
    const address = await bound(probe);
    await within(probe.unbind(address), "unbind");
    probe.close();
    let retried = 0;
    push.events.on("connect:retry", () => retried++);
    push.connect(address);
    await until(() => retried >= 2, "attempts");
    const pull = use(new Pull());
    await within(pull.bind(address), "bind");
    await within(push.send("x"), "sending");
    assert.equal(await next(pull), ["x"]);
  },
  async "an authenticator gives up on a check"() {
    const context = new Context();
    const authenticator = new Authenticator({ context, checkTimeout: 20 });
    const over = new Promise<{ status: number }>((resolve) =>
      authenticator.on("decision", resolve)
    );
    authenticator.configurePlain({ check: () => new Promise(nothing) });
    await within(authenticator.start(), "start");
    const pull = use(
      new Pull({ context, plainServer: true, zapDomain: "test" }),
    );
    const client = { plainUsername: "user", plainPassword: "password" };
    use(new Push({ linger: 0, ...client })).connect(await bound(pull));
    assert.is((await within(over, "a decision")).status, 300);
    await within(authenticator.stop(), "stop");
  },
  async "version 5 receives and sends"() {
    const pull = use(v5.socket("pull")), push = use(v5.socket("push"));
    push.linger = 0;
    const came = new Promise((resolve) => pull.on("message", resolve));
    const where = new Promise<string>((resolve, reject) =>
      pull.bind(
        "tcp://127.0.0.1:*",
        (error) => error ? reject(error) : resolve(pull.last_endpoint),
      )
    );
    push.connect(await within(where, "bind"));
    push.send("x");
    assert.is(String(await within(came, "a message")), "x");
  },
};

for (const [way, replacements] of Object.entries(WAYS)) {
  for (const [what, task] of Object.entries(TASKS)) {
    test(`${way}: ${what}`, () => replacing(globalThis, replacements, task));
  }
}

// On Node only: others' own modules need these.
if (!isDeno && !isBun) {
  for (const [what, task] of Object.entries(TASKS)) {
    test(`a clock that tells nothing: ${what}`, () =>
      replacing(process, { hrtime: nothing }, task));
  }

  // Node's own sockets need them.
  test("ticks that never come: inproc does without", () =>
    replacing(process, { nextTick: nothing }, async () => {
      const reply = use(new Reply());
      const request = use(new Request({ linger: 0, receiveTimeout: 20 }));
      request.connect(await bound(reply, "inproc"));
      await within(request.send("question"), "sending");
      assert.equal(await next(reply), ["question"]);
      checkError(await rejection(request.receive()), "EAGAIN");
      await within(reply.send("answer"), "sending");
      assert.equal(await next(request), ["answer"]);
    }));

  test("node:test's mock.timers", async () => {
    const { code, out, err } = await runProgram(`
      import { mock } from "node:test";
      mock.timers.enable();
      const reply = new z.Reply(), request = new z.Request({ linger: 0 });
      await reply.bind("tcp://127.0.0.1:*");
      request.connect(reply.lastEndpoint);
      for (let i = 0; i < 1000; i++) {
        await request.send("question");
        await reply.receive();
        await reply.send("answer");
        await request.receive();
      }
      reply.receiveTimeout = 10;
      await reply.receive().catch(({ code }) => console.log(code));
      const { lastEndpoint } = reply;
      await reply.unbind(lastEndpoint);
      const push = new z.Push({ linger: 0, reconnectInterval: 1 });
      const refused = new Promise((done) => push.events.on("connect:retry", done));
      push.connect(lastEndpoint);
      await refused;
      const pull = new z.Pull();
      await pull.bind(lastEndpoint);
      await push.send("again");
      console.log(String(await pull.receive()));
      process.exit();`);
    assert.is(out, `EAGAIN\nagain\n`, err);
    assert.is(code, 0);
  });
}

test.run();
