/** Raw WebSocket clients (patches 0025 to 0028). */
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { Context, Dealer, Router } from "zeromq-wasm";
import { Cleanup, dial, type Peer, within } from "./hostile.ts";
import { bytes, upgrade, wsFrame } from "./zmtp.ts";

const BINARY = 2, PING = 9, PONG = 10;
const test = suite("ws");

/** A client of the subprotocol that has no security mechanism. */
async function plainClient(dealer: Dealer): Promise<Peer> {
  const peer = await dial(dealer);
  await peer.send(upgrade("ZWS2.0"));
  await peer.readTo("\r\n\r\n");
  await peer.send(wsFrame(BINARY, [0]));
  // The routing id of the other side.
  await peer.frame();
  return peer;
}

async function honestIsServed(dealer: Dealer, cleanup: Cleanup): Promise<void> {
  const honest = cleanup.add(
    new Dealer({ context: new Context({ blocky: false }) }),
  );
  honest.connect(dealer.lastEndpoint!);
  await honest.send("honest");
  assert.is(String(await within(dealer.receive(), "honest")), "honest");
}

test("a client that never ends its request is cut off", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const dealer = cleanup.add(new Dealer({ context, handshakeInterval: 300 }));
    await dealer.bind("ws://127.0.0.1:*");
    const old = cleanup.add(await plainClient(dealer));
    const hostile = cleanup.add(await dial(dealer));
    await hostile.send(bytes("GET "));
    assert.is((await hostile.ended()).length, 0);
    // One that has finished is not.
    await old.send(wsFrame(BINARY, "\0still here"));
    assert.is(String(await within(dealer.receive(), "message")), "still here");
    await honestIsServed(dealer, cleanup);
  } finally {
    cleanup.close();
  }
});

test("heartbeats on a connection without a mechanism", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const dealer = cleanup.add(
      new Dealer({ context, heartbeatInterval: 50, heartbeatTimeout: 20_000 }),
    );
    await dealer.bind("ws://127.0.0.1:*");
    const peer = cleanup.add(await plainClient(dealer));
    for (let i = 0; i < 3; i++) {
      assert.equal([...await peer.read(2)], [0x80 | PING, 0]);
      await peer.send(wsFrame(PONG, ""));
    }
    await dealer.send("out");
    await peer.readTo("\0out");
    await peer.send(wsFrame(BINARY, "\0in"), wsFrame(PING, ""));
    await peer.readTo(String.fromCharCode(0x80 | PONG, 0));
    assert.is(String(await within(dealer.receive(), "in")), "in");
    await honestIsServed(dealer, cleanup);
  } finally {
    cleanup.close();
  }
});

test("heartbeats end a connection without a mechanism that does not answer", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const dealer = cleanup.add(new Dealer({ context, heartbeatInterval: 50 }));
    await dealer.bind("ws://127.0.0.1:*");
    const peer = cleanup.add(await plainClient(dealer));
    assert.equal([...(await peer.ended()).subarray(0, 2)], [0x80 | PING, 0]);
    dealer.heartbeatInterval = 0;
    await honestIsServed(dealer, cleanup);
  } finally {
    cleanup.close();
  }
});

for (
  const [what, frame] of [
    [
      "is not the last of its message",
      wsFrame(BINARY, "\0x").fill(BINARY, 0, 1),
    ],
    ["has an unknown opcode", wsFrame(7, "\0x")],
    ["has no mask", bytes([0x80 | BINARY, 2], "\0x")],
    ["is empty", wsFrame(BINARY, "")],
  ] as const
) {
  test(`a frame that ${what} ends the connection`, async () => {
    const cleanup = new Cleanup();
    try {
      const context = new Context({ blocky: false });
      const dealer = cleanup.add(new Dealer({ context }));
      await dealer.bind("ws://127.0.0.1:*");
      const peer = cleanup.add(await plainClient(dealer));
      await peer.send(frame);
      await peer.ended();
      await honestIsServed(dealer, cleanup);
    } finally {
      cleanup.close();
    }
  });
}

test("asking for no mechanism is no way around ZAP", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const zap = cleanup.add(new Router({ context }));
    await zap.bind("inproc://zeromq.zap.01");
    const dealer = cleanup.add(new Dealer({ context, zapDomain: "domain" }));
    await dealer.bind("ws://127.0.0.1:*");
    const hostile = cleanup.add(await dial(dealer));
    await hostile.send(
      upgrade("ZWS2.0"),
      wsFrame(BINARY, [0]),
      wsFrame(BINARY, "\0not checked"),
    );
    await hostile.ended();
    const served = honestIsServed(dealer, cleanup);
    const request = await within(zap.receive(), "request");
    assert.equal(request.slice(2, 5).map(String), ["1.0", "1", "domain"]);
    await zap.send([request[0]!, "", "1.0", "1", "200", "OK", "", ""]);
    await served;
  } finally {
    cleanup.close();
  }
});

test.run();
