/** Connections that break, and handshakes that go wrong (0020 to 0024, 0029, 0070). */
import * as assert from "uvu/assert";
import { suite } from "uvu";
import {
  Context,
  Dealer,
  defaultHost,
  type Host,
  Pull,
  Push,
  Router,
} from "zeromq-wasm";
import {
  Cleanup,
  dial,
  Listener,
  Monitor,
  repeated,
  within,
} from "./hostile.ts";
import {
  command,
  frame,
  greeting,
  greeting2,
  GREETING_SIZE,
  ready,
  SIGNATURE,
} from "./zmtp.ts";

const ZMTP2_DEALER = 5;
const ZMTP2_ROUTER = 6;
const test = suite("engine");

test("a reset behind more messages than there is room for, with heartbeats", async () => {
  // 0020 is about an assertion that a poller reaches which reports errors of a
  // connection nobody reads from. Ours does not, so this passes without it, too.
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const pull = cleanup.add(
      new Pull({
        context,
        receiveHighWaterMark: 2,
        heartbeatInterval: 100,
        heartbeatTimeout: 20_000,
      }),
    );
    await pull.bind("tcp://127.0.0.1:*");
    const hostile = cleanup.add(await dial(pull));
    await hostile.handshake("PUSH");
    await hostile.send(repeated("x", 20), command("PING", [0, 0]));
    const witness = cleanup.add(await dial(pull));
    await witness.handshake("PUSH");
    await witness.readTo("PING");
    hostile.reset();
    // Some more heartbeats of this connection are also some of the other.
    for (let i = 0; i < 3; i++) await witness.readTo("PING");
    await witness.send(frame("witness"));
    const honest = cleanup.add(new Push({ linger: 0 }));
    honest.connect(pull.lastEndpoint!);
    await honest.send("honest");
    const wanted = new Set(["witness", "honest"]);
    while (wanted.size > 0) {
      const text = String(await within(pull.receive(), "message"));
      if (text !== "x") assert.ok(wanted.delete(text), text);
    }
  } finally {
    cleanup.close();
  }
});

for (
  const [when, answer] of [
    ["a new connection is open", [greeting(), ready("DEALER")]],
    ["a new connection is in its handshake", [greeting()]],
  ] as const
) {
  test(`the pipe that an old connection filled has room when ${when}`, async () => {
    const cleanup = new Cleanup();
    try {
      const context = new Context({ blocky: false });
      const dealer = cleanup.add(
        new Dealer({
          context,
          receiveHighWaterMark: 4,
          heartbeatInterval: 100,
          reconnectInterval: 1,
        }),
      );
      const listener = cleanup.add(await Listener.start());
      dealer.connect(`tcp://${listener.address}`);
      const old = await listener.accept();
      await old.handshake("DEALER");
      // The answers to its heartbeats are not among these, so it hangs up.
      await old.send(repeated("x", 50));
      const young = await listener.accept();
      await young.send(...answer);
      // It has read that much when its own READY comes.
      await young.read(GREETING_SIZE);
      await young.readTo("READY");
      for (let i = 0; i < 4; i++) {
        assert.is(String(await within(dealer.receive(), "x")), "x");
      }

      const honest = cleanup.add(new Dealer({ linger: 0 }));
      await honest.bind("tcp://127.0.0.1:*");
      dealer.connect(honest.lastEndpoint!);
      await honest.send("honest");
      let text;
      do text = String(await within(dealer.receive(), "honest")); while (
        text === "x"
      );
      assert.is(text, "honest");
    } finally {
      cleanup.close();
    }
  });
}

test("an old peer says who it is after the socket was closed", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context();
    const sibling = cleanup.add(new Router({ context, linger: 0 }));
    await sibling.bind("tcp://127.0.0.1:*");
    const endpoint = sibling.lastEndpoint!;
    const router = new Router({ context, receiveTimeout: 0 });
    const listener = cleanup.add(await Listener.start());
    router.connect(`tcp://${listener.address}`);
    const hostile = await listener.accept();
    await hostile.read(SIGNATURE.length);
    // Once it has looked for messages it lingers, as it has not been greeted yet.
    await router.receive().then(assert.unreachable, () => {});
    router.close();
    await hostile.send(greeting2(ZMTP2_ROUTER), frame(""));
    await hostile.ended();

    const honest = cleanup.add(new Dealer({ linger: 0 }));
    honest.connect(endpoint);
    await honest.send("honest");
    assert.is(
      String((await within(sibling.receive(), "honest"))[1]),
      "honest",
    );
  } finally {
    cleanup.close();
  }
});

test("an old peer connects again while its pipe is full", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const router = cleanup.add(
      new Router({ context, receiveHighWaterMark: 4, reconnectInterval: 1 }),
    );
    const monitor = new Monitor(router);
    const listener = cleanup.add(await Listener.start());
    router.connect(`tcp://${listener.address}`);
    for (const messages of [4, 0]) {
      const hostile = await listener.accept();
      await hostile.send(
        greeting2(ZMTP2_ROUTER),
        frame("X"),
        repeated("x", messages),
      );
      // The signature, revision and type, then its routing id.
      await hostile.read(SIGNATURE.length + 4);
      hostile.close();
      await monitor.until("disconnect");
    }
    const honest = cleanup.add(new Dealer({ linger: 0 }));
    await honest.bind("tcp://127.0.0.1:*");
    router.connect(honest.lastEndpoint!);
    await honest.send("honest");
    let text;
    do text = String((await within(router.receive(), "honest"))[1]); while (
      text === "x"
    );
    assert.is(text, "honest");
  } finally {
    cleanup.close();
  }
});

for (const size of [0, 1]) {
  test(`a PING with ${size} of the 2 bytes that it must have`, async () => {
    const cleanup = new Cleanup();
    try {
      const context = new Context({ blocky: false });
      const pull = cleanup.add(new Pull({ context }));
      await pull.bind("tcp://127.0.0.1:*");
      const hostile = cleanup.add(await dial(pull));
      await hostile.handshake("PUSH");
      await hostile.send(
        frame("secret".repeat(5)),
        command("PING", Buffer.alloc(size)),
        command("PING", [0, 0], "context"),
      );
      // Only the second is answered: the first would carry bytes of other messages.
      assert.is(await hostile.frame(), "\x04PONGcontext");
      assert.match(String(await within(pull.receive(), "secret")), "secret");

      const honest = cleanup.add(new Push({ linger: 0 }));
      honest.connect(pull.lastEndpoint!);
      await honest.send("honest");
      assert.is(String(await within(pull.receive(), "honest")), "honest");
    } finally {
      cleanup.close();
    }
  });
}

test("the handshake of an old peer is over with its greeting", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const dealer = cleanup.add(
      new Dealer({ context, handshakeInterval: 300 }),
    );
    await dealer.bind("tcp://127.0.0.1:*");
    const old = cleanup.add(await dial(dealer));
    await old.send(greeting2(ZMTP2_DEALER), frame(""));
    await old.read(SIGNATURE.length + 4);
    // Who does not even greet is still cut off, and later than the other would be.
    const mute = cleanup.add(await dial(dealer));
    await mute.ended();
    await old.send(frame("still here"));
    assert.is(String(await within(dealer.receive(), "message")), "still here");

    const honest = cleanup.add(new Dealer({ linger: 0 }));
    honest.connect(dealer.lastEndpoint!);
    await honest.send("honest");
    assert.is(String(await within(dealer.receive(), "honest")), "honest");
  } finally {
    cleanup.close();
  }
});

test("the answer of ZAP comes when the peer it is about has gone", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const zap = cleanup.add(new Router({ context }));
    await zap.bind("inproc://zeromq.zap.01");
    const answer = ([id]: Uint8Array[]) =>
      zap.send([id!, "", "1.0", "1", "200", "OK", "", ""]);
    const dealer = cleanup.add(
      new Dealer({ context, zapDomain: "domain", reconnectInterval: 1 }),
    );
    const listener = cleanup.add(await Listener.start());
    dealer.connect(`tcp://${listener.address}`);
    const first = await listener.accept();
    await first.send(greeting());
    const request = await within(zap.receive(), "first request");
    first.close();
    const second = await listener.accept();
    await second.read(SIGNATURE.length);
    await answer(request).catch((error) =>
      // That connection's way back may be gone.
      assert.is(error.code, "EHOSTUNREACH")
    );
    await second.send(greeting());
    await answer(await within(zap.receive(), "second request"));
    await second.read(GREETING_SIZE - SIGNATURE.length);
    await second.send(ready("DEALER"), frame("honest"));
    assert.is(String(await within(dealer.receive(), "honest")), "honest");
  } finally {
    cleanup.close();
  }
});

/** A peer of `push` that reads no more: no message gets out, and no PING. */
async function deaf(push: Push) {
  await push.bind("tcp://127.0.0.1:*");
  const ready = new Promise<void>((resolve) =>
    push.events.on("handshake", () => resolve())
  );
  const hostile = await dial(push);
  await hostile.handshake("PULL");
  await within(ready, "the handshake");
  hostile.pause();
  const body = Buffer.alloc(1 << 20);
  for (let sent = 1; sent > 0;) {
    for (sent = 0; push.writable; sent++) await push.send(body);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return hostile;
}

for (const lives of [false, true]) {
  test(`a peer that reads no more, and ${lives ? "says PING" : "is silent"}`, async () => {
    const cleanup = new Cleanup();
    try {
      const push = cleanup.add(
        new Push({
          linger: 0,
          // Its output is full before the first PING is due.
          sendHighWaterMark: 20,
          heartbeatInterval: 700,
          // Long enough for a busy machine where the peer goes on.
          heartbeatTimeout: lives ? 1500 : 300,
        }),
      );
      let ended = false;
      push.events.on("disconnect", () => ended = true);
      const hostile = cleanup.add(await deaf(push));
      if (lives) {
        for (let i = 0; i < 30; i++) {
          await hostile.send(command("PING", [0, 0]));
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        assert.not(ended, "who says PING is alive");
      }
      const silent = new Promise<void>((resolve) => {
        if (ended) resolve();
        push.events.on("disconnect", () => resolve());
      });
      await within(silent, "the end of the connection");
    } finally {
      cleanup.close();
    }
  });
}

test("a peer that reads no more has the longest time-out", async () => {
  const cleanup = new Cleanup();
  try {
    // A machine that has run for a month: by then a time-out below 0 is one that is over.
    const inner = defaultHost();
    const host: Host = Object.create(inner, {
      now: { value: () => inner.now() + 2 ** 31 },
    });
    const context = new Context({ host, blocky: false });
    const ended: number[] = [];
    const all = [];
    // The second one is there to tell that the first would have been ended long ago.
    for (const heartbeatTimeout of [2 ** 31 - 1, 300]) {
      const push = cleanup.add(
        new Push({
          context,
          sendHighWaterMark: 20,
          heartbeatInterval: 700,
          heartbeatTimeout,
        }),
      );
      all.push(
        new Promise<void>((resolve) =>
          push.events.on("disconnect", () => {
            ended.push(heartbeatTimeout);
            resolve();
          })
        ),
      );
      cleanup.add(await deaf(push));
    }
    await within(all[1]!, "the end of the second connection");
    assert.equal(ended, [300]);
  } finally {
    cleanup.close();
  }
});

test.run();
