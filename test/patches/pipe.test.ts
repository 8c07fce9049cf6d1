/** Peers that leave while their pipe is still known to the socket (0014, 0015, 0016),
 * and what counts as a message there (0063). */
import * as assert from "uvu/assert";
import { suite } from "uvu";
import {
  Context,
  Dealer,
  Pull,
  Push,
  Router,
  Subscriber,
  XPublisher,
} from "zeromq-wasm";
import {
  Cleanup,
  dial,
  latest,
  Listener,
  Monitor,
  overwriteFreeMemory,
  setRaw,
  turn,
  within,
} from "./hostile.ts";
import { ZapHandler } from "../support/zap.ts";
import { command, frame } from "./zmtp.ts";

const ZMQ_SUBSCRIBE = 6;
const ZMQ_DISCONNECT_MSG = 111;
const test = suite("pipe");

test("the high water mark changes while a peer's end of its pipe is gone", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const pull = cleanup.add(new Pull({ context }));
    const monitor = new Monitor(pull);
    await pull.bind("tcp://127.0.0.1:*");
    for (let i = 0; i < 20; i++) {
      const hostile = cleanup.add(await dial(pull));
      await hostile.handshake("PUSH");
      await hostile.send(frame("hi"));
      assert.is(String(await within(pull.receive(), "message")), "hi");
      hostile.reset();
      await monitor.until("disconnect");
      // The socket answers that its pipe ends; then the session frees its own end.
      pull.receiveTimeout = 0;
      await pull.receive().then(assert.unreachable, () => {});
      await turn();
      pull.receiveHighWaterMark = 100 + i;
      pull.receiveTimeout = -1;
      await turn();
      // It throws when the context has been ended by an assertion.
      assert.not(pull.readable);
    }
    const honest = cleanup.add(new Push({ linger: 0 }));
    honest.connect(pull.lastEndpoint!);
    await honest.send("hello");
    assert.is(String(await within(pull.receive(), "hello")), "hello");
  } finally {
    cleanup.close();
  }
});

test("a connection breaks while its pipe is being replaced", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const router = cleanup.add(new Router({ context, handover: true }));
    setRaw(router, ZMQ_DISCONNECT_MSG, "bye");
    const monitor = new Monitor(router);
    await router.bind("tcp://127.0.0.1:*");
    const old = cleanup.add(await dial(router));
    await old.handshake("DEALER", "X");
    await old.send(frame("hi"));
    assert.equal((await within(router.receive(), "hi")).map(String), [
      "X",
      "hi",
    ]);
    const young = cleanup.add(await dial(router));
    await young.handshake("DEALER", "X");
    await young.send(frame("ho"));
    assert.equal((await within(router.receive(), "ho")).map(String), [
      "X",
      "ho",
    ]);
    // Now the old pipe has said goodbye, and the socket has not heard it yet.
    await turn();
    old.reset();
    await monitor.until("disconnect");

    const honest = cleanup.add(new Dealer({ linger: 0, routingId: "honest" }));
    honest.connect(router.lastEndpoint!);
    await honest.send("hello");
    assert.equal((await within(router.receive(), "hello")).map(String), [
      "honest",
      "hello",
    ]);
  } finally {
    cleanup.close();
  }
});

test("a subscriber of a manual XPUB leaves before its subscription is read", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    // So that one message is taken at a time: which pipe it came from matters.
    const xpub = cleanup.add(
      new XPublisher({ context, manual: true, receiveHighWaterMark: 1 }),
    );
    const monitor = new Monitor(xpub);
    const { exports } = latest;
    await xpub.bind("tcp://127.0.0.1:*");
    const witnesses = [];
    for (let i = 0; i < 10; i++) {
      const witness = cleanup.add(await dial(xpub));
      witnesses.push(await witness.handshake("SUB"));
      await witness.send(command("SUBSCRIBE", "C"));
      assert.is(String(await within(xpub.receive(), "C")), "\x01C");
      setRaw(xpub, ZMQ_SUBSCRIBE, "C");
    }
    const hostile = cleanup.add(await dial(xpub));
    await hostile.handshake("SUB");
    await hostile.send(command("SUBSCRIBE", "A"), command("PING", [0, 0]));
    // The answer says that the subscription has gone to the socket.
    await hostile.readTo("PONG");
    hostile.reset();
    await monitor.until("disconnect");
    // The socket learns of the end, but the application has not read yet.
    for (let i = 0; i < 3; i++) {
      assert.ok(xpub.readable);
      xpub.linger = 0;
      await turn();
    }
    assert.is(String(await within(xpub.receive(), "A")), "\x01A");
    setRaw(xpub, ZMQ_SUBSCRIBE, "B");
    assert.is(String(await within(xpub.receive(), "end of A")), "\0A");
    // In linear memory a dangling pointer does no harm until something else takes
    // the place of the pipe: then another peer gets what was meant for the dead one.
    overwriteFreeMemory(exports);
    await xpub.send("B for the dead");
    await xpub.send("C for all");
    for (const witness of witnesses) {
      assert.is(await witness.frame(), "C for all");
    }

    const honest = cleanup.add(new Subscriber());
    honest.connect(xpub.lastEndpoint!);
    honest.subscribe("D");
    assert.is(String(await within(xpub.receive(), "D")), "\x01D");
    setRaw(xpub, ZMQ_SUBSCRIBE, "D");
    await xpub.send("D is for you");
    assert.is(String(await within(honest.receive(), "D")), "D is for you");
  } finally {
    cleanup.close();
  }
});

test("a connection breaks within a message while the socket is being closed", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const sibling = cleanup.add(new Pull({ context }));
    await sibling.bind("tcp://127.0.0.1:*");
    const { exports } = latest;
    // The connection may break after any step of closing.
    for (let steps = 0; steps < 30; steps++) {
      const listener = cleanup.add(await Listener.start());
      const dealer = new Dealer({ context, linger: 0 });
      dealer.connect(`tcp://${listener.address}`);
      const hostile = await listener.accept();
      await hostile.handshake("DEALER");
      hostile.pause();
      // Much more than fits between the two.
      const part = Buffer.alloc(8 << 20);
      await dealer.send([part, part, "the end"]);
      await turn();
      dealer.close();
      exports.zw_pump!(steps);
      exports.zw_eof!(latest.fd);
      exports.zw_pump!(1000);
      await turn();
      hostile.close();
    }
    const honest = cleanup.add(new Push({ linger: 0 }));
    honest.connect(sibling.lastEndpoint!);
    await honest.send("hello");
    assert.is(String(await within(sibling.receive(), "hello")), "hello");
  } finally {
    cleanup.close();
  }
});

test("a user id takes no room from messages", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    cleanup.add(await ZapHandler.start(() => "200", { context }));
    const pull = cleanup.add(
      new Pull({
        context,
        plainServer: true,
        zapDomain: "d",
        receiveHighWaterMark: 1,
      }),
    );
    await pull.bind("tcp://127.0.0.1:*");
    const push = cleanup.add(
      new Push({ linger: 0, plainUsername: "u", plainPassword: "p" }),
    );
    push.connect(pull.lastEndpoint!);
    for (let i = 0; i < 5; i++) {
      await push.send(`${i}`);
      const { frames: [frame], properties } = await within(
        pull.receiveWithProperties(),
        "a message",
      );
      assert.is(String(frame), `${i}`);
      assert.is(properties["User-Id"], "somebody");
    }
  } finally {
    cleanup.close();
  }
});

test.run();
