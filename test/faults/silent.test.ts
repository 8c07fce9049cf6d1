/** Proxies and servers that take a connection and then say nothing (patches 0025, 0041). */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Dealer } from "zeromq-wasm";
import { Listener } from "../patches/hostile.ts";
import { bytes } from "../patches/zmtp.ts";
import { closeAll, stays, use, within } from "../socket/tools.ts";
import { checkLeaks } from "../support/leaks.ts";

const test = suite("silent");
checkLeaks(test, closeAll);
test.after.each(closeAll);

const LIMITED = { handshakeInterval: 60, reconnectInterval: 10, linger: 0 };

/** Each attempt ends, and another is made. */
async function givesUp(listener: Listener, said: Uint8Array[]): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const peer = await listener.accept();
    for (const part of said) {
      await peer.read(1);
      await peer.send(part);
    }
    await peer.ended();
  }
}

const chosen = bytes([5, 0]), login = bytes([5, 2]), welcome = bytes([1, 0]);

for (
  const [what, ...said] of [
    ["nothing"],
    ["half a choice of method", bytes([5])],
    ["that it wants a password, and no more", login],
    ["half an answer to the password", login, bytes([1])],
    ["that the password is right, and no more", login, welcome],
    ["that it takes no password, and no more", chosen],
    ["half a response", chosen, bytes([5, 0, 0, 3, 200], "half")],
  ] as [string, ...Uint8Array[]][]
) {
  test(`a SOCKS proxy that says ${what}`, async () => {
    const listener = use(await Listener.start());
    const user = login === said[0]
      ? { socksUsername: "user", socksPassword: "password" }
      : {};
    const dealer = use(
      new Dealer({ ...LIMITED, ...user, socksProxy: listener.address }),
    );
    dealer.connect("tcp://127.0.0.1:5555");
    await givesUp(listener, said);
  });
}

const upgraded = bytes([
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
  "Sec-WebSocket-Protocol: ZWS2.0/NULL",
  "\r\n",
].join("\r\n"));

for (
  const [what, ...said] of [
    ["nothing"],
    ["an answer and nothing else", upgraded],
    ["half an answer", bytes("HTTP/1.1 101 Switching Protocols\r\nUpgra")],
    ["an answer without end", upgraded.subarray(0, -2)],
  ] as [string, ...Uint8Array[]][]
) {
  test(`a ws server that says ${what}`, async () => {
    const listener = use(await Listener.start());
    const dealer = use(new Dealer(LIMITED));
    dealer.connect(`ws://${listener.address}`);
    await givesUp(listener, said);
  });
}

test("without a limit, an attempt goes on", async () => {
  const listener = use(await Listener.start());
  const dealer = use(
    new Dealer({
      ...LIMITED,
      handshakeInterval: 0,
      socksProxy: listener.address,
    }),
  );
  dealer.connect("tcp://127.0.0.1:5555");
  const peer = await listener.accept();
  await peer.read(1);
  const ended = peer.ended();
  assert.ok(await stays(ended, 150));
  dealer.close();
  await within(ended, "the end");
});

test("sockets that close while a proxy is silent", async () => {
  const listener = use(await Listener.start());
  for (const said of [[], [chosen]]) {
    const dealer = new Dealer({ ...LIMITED, socksProxy: listener.address });
    dealer.connect("tcp://127.0.0.1:5555");
    const peer = await listener.accept();
    await peer.read(1);
    await peer.send(...said);
    dealer.close();
    await peer.ended();
  }
});

test.run();
