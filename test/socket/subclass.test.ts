/** Classes of a program's own: what they override counts, what they add disturbs nothing. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Pair, Pull, Push } from "zeromq-wasm";
import {
  anywhere,
  bound,
  checkError,
  closeAll,
  next,
  rejection,
  thrown,
  until,
  use,
  within,
} from "./tools.ts";

const test = suite("subclasses");
test.after.each(closeAll);

/** Receives something else than there is. */
class Lines extends Pull {
  #calls = 0;
  get calls(): number {
    return this.#calls;
  }
  override async receive(): Promise<[Buffer]> {
    this.#calls++;
    const [frame] = await super.receive();
    return [Buffer.from(`line ${frame}`)];
  }
}
class MoreLines extends Lines {}

test("for await gives what a receive of the class gives", async () => {
  for (const Type of [Lines, MoreLines]) {
    const lines = use(new Type()), push = use(new Push({ linger: 0 }));
    push.connect(await bound(lines));
    const sent = Array.from({ length: 20 }, (_, i) => `${i}`);
    await push.sendMany(sent);
    const seen: string[] = [];
    const loop = (async () => {
      for await (const [line] of lines) {
        if (seen.push(String(line)) === sent.length) break;
      }
    })();
    await within(loop, "all lines");
    assert.equal(seen, sent.map((text) => `line ${text}`));
    assert.is(lines.calls, sent.length);
  }
});

test("such an iteration ends at close, also while it waits", async () => {
  for (const waits of [true, false]) {
    const lines = use(new Lines()), push = use(new Push({ linger: 0 }));
    push.connect(await bound(lines));
    await push.sendMany(["1", "2"]);
    const seen: string[] = [];
    const loop = (async () => {
      for await (const [line] of lines) {
        if (seen.push(String(line)) < 2) continue;
        if (waits) setImmediate(() => lines.close());
        else lines.close();
      }
    })();
    await within(loop, "the loop");
    assert.equal(seen, ["line 1", "line 2"]);
    assert.is(lines.calls, waits ? 3 : 2);
  }
});

test("what else such a receive rejects with, or throws, surfaces", async () => {
  class Fails extends Pull {
    override receive(): never {
      this.close();
      throw new Error("mine");
    }
  }
  class Rejects extends Pull {
    override receive(): Promise<never> {
      this.close();
      return Promise.reject(new Error("mine"));
    }
  }
  for (const socket of [new Fails(), new Rejects()]) {
    const loop = (async () => {
      for await (const _ of use<Pull>(socket)) assert.unreachable();
    })();
    assert.is((await rejection(loop)).message, "mine");
  }
  const timed = use(new Lines({ receiveTimeout: 1 }));
  const late = (async () => {
    for await (const _ of timed) assert.unreachable();
  })();
  checkError(await rejection(late), "EAGAIN");
});

test("names that the library could have used are the program's", async () => {
  class Named extends Pair {
    enter(): string {
      return "mine";
    }
    getOption(name: "linger"): string {
      return `${name} is ${this.linger}`;
    }
    setOption(value: number): this {
      this.linger = value;
      return this;
    }
    override get closed(): boolean {
      return true;
    }
  }
  const a = use(new Named({ linger: 0, receiveTimeout: 5000 }));
  const b = use(new Named({ linger: 0 }));
  assert.is(a.enter(), "mine");
  assert.is(a.setOption(7).getOption("linger"), "linger is 7");
  b.connect(await bound(a));
  await b.send("1");
  assert.equal(await next(a), ["1"]);
  await b.send(["2", new Uint8Array(70_000)]);
  assert.is((await within(a.receive(), "two frames")).length, 2);
  await b.sendMany(["3", "4", "5", "6"]);
  assert.equal(await within(a.receiveText(), "text"), ["3"]);
  const first = async () => {
    for await (const [frame] of a) return String(frame);
  };
  assert.is(await within(first(), "iteration"), "4");
  const many: unknown[] = [];
  while (many.length < 2) many.push(...await within(a.receiveMany(), "many"));
  assert.equal(many.map(String), ["5", "6"]);
  await b.send("7");
  const { frames } = await within(a.receiveWithProperties(), "properties");
  assert.equal(frames.map(String), ["7"]);
  await a.unbind(a.lastEndpoint!);
  b.close();
  assert.is(thrown(() => b.send("x")).code, "EBADF");
});

/** Counts how often it is told to close. */
function counting() {
  let closes = 0;
  class Counted extends Dealer {
    override close(): void {
      closes++;
      super.close();
    }
  }
  return { Counted, closes: () => closes };
}

test("a close of the class is called once, also amid a bind or unbind", async () => {
  for (const doing of ["bind", "unbind"] as const) {
    const { Counted, closes } = counting();
    const context = new Context();
    const socket = new Counted({ context });
    const address = doing === "bind" ? anywhere("tcp") : await bound(socket);
    const done = socket[doing](address);
    socket.close();
    await within(done, doing);
    assert.is(socket.closed, true);
    await until(() => context.resources.sockets === 0, "the socket is gone");
    assert.is(closes(), 1, doing);
  }
});

test("it is not called for what was never made", async () => {
  const { Counted, closes } = counting();
  const context = new Context();
  const wrong = thrown(() => new Counted({ context, linger: -5 }));
  assert.is(wrong.code, "EINVAL");
  assert.instance(
    thrown(() => new Counted({ context, linger: "x" as never })),
    TypeError,
  );
  await until(() => context.resources.sockets === 0, "no socket is left");
  assert.is(closes(), 0);
});

test.run();
