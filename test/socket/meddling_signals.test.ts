/** Signals that do something when they are listened to, and values without a text. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Pull, Push } from "zeromq-wasm";
import {
  checkError,
  closeAll,
  next,
  pause,
  rejection,
  thrown,
  use,
  within,
} from "./tools.ts";

const test = suite("meddling signals");
test.after.each(closeAll);

/** A signal with another method. */
function signalWith(
  name: "addEventListener" | "removeEventListener",
  value: () => void,
): AbortSignal {
  const { signal } = new AbortController();
  Object.defineProperty(signal, name, { value });
  return signal;
}

const refuses = () => {
  throw new Error("not now");
};

test("one that takes no listener ends the wait, and only that", async () => {
  const context = new Context();
  const dealer = use(new Dealer({ context, linger: 0 }));
  const signal = signalWith("addEventListener", refuses);
  const waits = [
    () => dealer.receive({ signal }),
    () => dealer.send(["x", new Uint8Array(70_000)], { signal }),
  ];
  for (const wait of waits) {
    assert.is((await rejection(wait())).message, "not now");
  }
  assert.is(context.resources.bodies, 0);
  const peer = use(new Dealer({ context, linger: 0 }));
  await peer.bind("inproc://peer");
  dealer.connect("inproc://peer");
  await within(dealer.send("question"), "a send");
  await within(peer.send("answer"), "a send");
  assert.equal(await next(dealer), ["answer"]);
  assert.equal(await next(peer), ["question"]);
});

test("one that keeps its listener stops no other socket", async () => {
  const context = new Context();
  const pull = use(new Pull({ context }));
  const push = use(new Push({ context, linger: 0 }));
  await pull.bind("inproc://pull");
  push.connect("inproc://pull");
  const signal = signalWith("removeEventListener", refuses);
  const received = pull.receive({ signal });
  await push.send("first");
  assert.is(String((await within(received, "the first"))[0]), "first");
  await push.send("second");
  assert.equal(await next(pull), ["second"]);
});

test("one that closes the socket ends the wait once", async () => {
  const context = new Context();
  for (const sends of [true, false]) {
    const socket = use(
      new Dealer({ context, linger: 0, sendTimeout: 5, receiveTimeout: 5 }),
    );
    const signal = signalWith("addEventListener", () => socket.close());
    const error = await rejection(
      sends
        ? socket.send(["x", new Uint8Array(70_000)], { signal })
        : socket.receive({ signal }),
    );
    checkError(error, "EAGAIN");
  }
  // A timer would have ended it again by then.
  await pause(30);
  const a = use(new Dealer({ context, linger: 0 }));
  const b = use(new Dealer({ context, linger: 0 }));
  await a.bind("inproc://a");
  b.connect("inproc://a");
  const large = new Uint8Array(70_000).fill(1);
  await b.send(["x", large]);
  const frames = await within(a.receive(), "a message");
  assert.equal(frames.map(({ length }) => length), [1, 70_000]);
  assert.is(context.resources.bodies, 0);
});

test("an option refused is EINVAL, also where its value has no text", () => {
  const dealer = use(new Dealer());
  const gone = new Uint8Array(8);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  checkError(thrown(() => dealer.routingId = gone), "EINVAL");
});

test.run();
