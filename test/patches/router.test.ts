/** Routing ids that a peer may choose must not end the process (patch 0031). */
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { Context, Dealer, Router } from "zeromq-wasm";
import { Cleanup, dial, Listener, within } from "./hostile.ts";
import { frame } from "./zmtp.ts";

const test = suite("router");

test("a peer presents the number that the next peer would get", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const router = cleanup.add(new Router({ context }));
    await router.bind("tcp://127.0.0.1:*");
    const first = cleanup.add(await dial(router));
    await first.handshake("DEALER");
    await first.send(frame("hi"));
    const [id] = await within(router.receive(), "first") as [Buffer];
    const number = id.readUInt32BE(1);
    const next = Buffer.alloc(5);
    next.writeUInt32BE(number + 1, 1);

    const hostile = cleanup.add(await dial(router));
    await hostile.handshake("DEALER", next.toString("latin1"));
    await hostile.send(frame("mine"));
    const stolen = await within(router.receive(), "second");
    assert.equal(stolen.map((part) => (part as Buffer).toString("latin1")), [
      next.toString("latin1"),
      "mine",
    ]);

    const honest = cleanup.add(new Dealer({ linger: 0 }));
    honest.connect(router.lastEndpoint!);
    await honest.send("third");
    const [given, text] = await within(router.receive(), "third");
    assert.is(String(text), "third");
    assert.not.equal([...given!], [...next]);
    await router.send([given!, "answer"]);
    assert.is(String(await within(honest.receive(), "answer")), "answer");
  } finally {
    cleanup.close();
  }
});

test("a peer presents the name that the application gives to another", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const router = cleanup.add(new Router({ context }));
    await router.bind("tcp://127.0.0.1:*");
    // After connect() it is the other end.
    const endpoint = router.lastEndpoint!;
    const hostile = cleanup.add(await dial(router));
    await hostile.handshake("DEALER", "X");
    await hostile.send(frame("hi"));
    assert.equal(
      (await within(router.receive(), "hostile")).map(String),
      ["X", "hi"],
    );

    const listener = cleanup.add(await Listener.start());
    router.connect(`tcp://${listener.address}`, { routingId: "X" });
    const other = await listener.accept();
    await other.handshake("DEALER");
    await other.send(frame("other"));
    const [given, text] = await within(router.receive(), "other");
    assert.is(String(text), "other");
    assert.is.not(String(given), "X");

    const honest = cleanup.add(new Dealer({ linger: 0, routingId: "honest" }));
    honest.connect(endpoint);
    await honest.send("hello");
    assert.equal(
      (await within(router.receive(), "honest")).map(String),
      ["honest", "hello"],
    );
  } finally {
    cleanup.close();
  }
});

test.run();
