// deno: --unstable-net
/** Radio, Dish and Datagram with those of the native package. */
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import * as assert from "uvu/assert";
import { Datagram, Dish, Radio } from "zeromq-wasm/draft";
import { closeAll, next, until, use, within } from "../socket/tools.ts";
import { checkLeaks } from "../support/leaks.ts";
import { NativePeer, nativeSuite } from "../support/native.ts";

const test = nativeSuite("udp with the native package");
let peer: NativePeer;
checkLeaks(test, async () => {
  closeAll();
  await peer.stop();
});
test.before(() => {
  peer = new NativePeer();
});
test.after.each(closeAll);

const GROUP = "udp://127.0.0.1;239.255.71.5";

/** A port that is free: the native package does not tell which one it got. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

const hex = (number: number, digits: number): string =>
  number.toString(16).toUpperCase().padStart(digits, "0");

/**
 * The native package's `bind` of an address of UDP is done before its I/O thread has bound the
 * descriptor (7 times of 300 on an idle machine), and what comes until then is lost. So the
 * kernel is asked: for a socket of the port, and for as many members of the group.
 */
async function bound(port: number, members = 0): Promise<void> {
  const group = new Uint8Array([239, 255, 71, 5]);
  const [number] = new Uint32Array(group.buffer);
  const row = new RegExp(`^\\s*${hex(number!, 8)}\\s+(\\d+) `, "m");
  const own = new RegExp(`:${hex(port, 4)} `);
  await until(async () => {
    const sockets = await readFile("/proc/net/udp", "latin1");
    const groups = await readFile("/proc/net/igmp", "latin1");
    return own.test(sockets) &&
      Number(row.exec(groups)?.[1] ?? 0) >= members;
  }, `port ${port} with ${members} members`);
}

async function received(dish: Dish): Promise<[string, string]> {
  const [message, { group }] = await within(dish.receive(), "a message");
  return [
    new TextDecoder("latin1").decode(message),
    new TextDecoder("latin1").decode(group),
  ];
}

test("a native Radio to our Dish", async () => {
  const dish = use(new Dish());
  await dish.bind("udp://127.0.0.1:*");
  const long = "g".repeat(255);
  dish.join("g", long, "");
  const radio = await peer.socket("Radio");
  await radio.connect(`udp://${dish.lastEndpoint}`);
  for (
    const [body, group] of [
      ["hello", "g"],
      ["", "g"],
      ["\0\xff", long],
      ["x".repeat(8190), "g"],
      ["no group", ""],
    ] as const
  ) {
    await radio.send([body], { group });
    assert.equal(await received(dish), [body, group]);
  }
  await radio.close();
});

test("our Radio to a native Dish", async () => {
  const native = await peer.socket("Dish");
  const port = await freePort();
  await native.bind(`udp://127.0.0.1:${port}`);
  await bound(port);
  // A native Dish ends its process when a longer one comes (patch 0010).
  const long = "g".repeat(127);
  await native.join("g");
  await native.join(long);
  const radio = use(new Radio());
  radio.connect(`udp://127.0.0.1:${port}`);
  for (
    const [body, group] of [
      ["hello", "g"],
      ["", long],
      ["x".repeat(8190), "g"],
    ] as const
  ) {
    const got = native.receive();
    await radio.send(body, { group });
    assert.equal(await got, [body, { group }]);
  }
  await native.close();
});

test("members of one group, native and ours", async () => {
  const port = await freePort();
  const address = `${GROUP}:${port}`;
  const dish = use(new Dish());
  await dish.bind(address);
  dish.join("g");
  const nativeDish = await peer.socket("Dish");
  await nativeDish.bind(address);
  await nativeDish.join("g");
  const second = use(new Dish());
  await second.bind(address);
  second.join("g");
  await bound(port, 3);

  const radio = use(new Radio());
  radio.connect(address);
  const nativeRadio = await peer.socket("Radio");
  await nativeRadio.connect(address);
  const got = nativeDish.receive();
  await radio.send("ours", { group: "g" });
  assert.equal(await got, ["ours", { group: "g" }]);
  for (const it of [dish, second]) {
    assert.equal(await received(it), ["ours", "g"]);
  }
  const more = nativeDish.receive();
  await nativeRadio.send(["theirs"], { group: "g" });
  assert.equal(await more, ["theirs", { group: "g" }]);
  for (const it of [dish, second]) {
    assert.equal(await received(it), ["theirs", "g"]);
  }
  await nativeDish.close();
  await nativeRadio.close();
});

test("Datagrams, both ways", async () => {
  const port = await freePort();
  const native = await peer.socket("Datagram");
  await native.bind(`udp://127.0.0.1:${port}`);
  await bound(port);
  const ours = use(new Datagram());
  await ours.bind("udp://127.0.0.1:*");
  const got = native.receive();
  await ours.send([`127.0.0.1:${port}`, "hello"]);
  const [from, body] = await got;
  assert.equal([from, body], [`${ours.lastEndpoint}\0`, "hello"]);
  await native.send([from as string, "yourself"]);
  assert.equal(await next(ours), [`127.0.0.1:${port}\0`, "yourself"]);
  await native.close();
});

test.run();
