/** A listener among peers that say nothing, little, or too much (patches 0061, 0062). */
import { connect, type Socket as Tcp } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Pull, Push } from "zeromq-wasm";
import { Cleanup, dial } from "../patches/hostile.ts";
import { bytes, frame, greeting, ready } from "../patches/zmtp.ts";
import { bound, closeAll, until, use, within } from "../socket/tools.ts";

const test = suite("listener");
test.after.each(closeAll);

/** What a listener lets wait long for its handshake, as wasm/fd_table.cpp has it. */
const MOST_PENDING = 1024;

function tcp(endpoint: string): Promise<Tcp> {
  const socket = connect(Number(/\d+$/.exec(endpoint)![0]), "127.0.0.1");
  use({ close: () => void socket.destroy() });
  return new Promise((resolve) => {
    socket.on("error", () => {}).resume().once(
      "connect",
      () => resolve(socket),
    );
  });
}

/** A new honest peer's messages arrive. */
async function serves(pull: Pull, size = 10): Promise<void> {
  const push = use(
    new Push({ context: new Context(), linger: 0, reconnectInterval: 20 }),
  );
  push.connect(pull.lastEndpoint!);
  const body = new Uint8Array(size).fill(7);
  await push.send(body);
  for (;;) {
    const got = await within(pull.receive(), "an honest message");
    if (got[0]!.length === size && got[0]![0] === 7) break;
  }
  push.close();
}

test("thousands of connections that say nothing", async () => {
  const context = new Context();
  const pull = use(new Pull({ context, backlog: 4096 }));
  const endpoint = await bound(pull);
  const { heap } = context.resources;
  const silent: Tcp[] = [];
  let ended = 0;
  for (let i = 0; i < 30; i++) {
    silent.push(
      ...await Promise.all(Array.from({ length: 100 }, () => tcp(endpoint))),
    );
    if (i % 10 === 9) await serves(pull);
  }
  for (const socket of silent) socket.once("close", () => ended++);
  const held = () => context.resources.connections;
  await until(() => held() <= MOST_PENDING + 1, "the oldest are closed");
  assert.ok(held() >= MOST_PENDING - 1, `${held()} of the latest are kept`);
  const used = context.resources.heap - heap;
  assert.ok(used < 100 * 2 ** 20, `${used} bytes for them`);
  await serves(pull);
  for (const socket of silent) socket.destroy();
  await until(() => held() === 0, "the end of all connections");
  await serves(pull);
  const left = context.resources.heap - heap;
  // The table of descriptors does not shrink: 4096 entries of some 350 bytes.
  assert.ok(left < 2 * 2 ** 20, `${left} bytes left behind`);
});

test("a byte at a time is not in time", async () => {
  const pull = use(
    new Pull({ context: new Context(), handshakeInterval: 400 }),
  );
  const endpoint = await bound(pull);
  const slow = await Promise.all(
    Array.from({ length: 50 }, () => tcp(endpoint)),
  );
  let over = 0;
  const start = performance.now();
  for (const socket of slow) {
    socket.write("\xff", "latin1");
    const timer = setInterval(() => socket.write("\0"), 100);
    socket.once("close", () => {
      clearInterval(timer);
      over++;
    });
    socket.once("end", () => socket.destroy());
  }
  await serves(pull);
  await until(() => over === slow.length, "the end of the slow ones");
  assert.ok(performance.now() - start >= 350);
  await serves(pull);
});

test("there is a deadline for handshakes without asking for one", () => {
  assert.is(use(new Pull()).handshakeInterval, 30_000);
});

test("a crowd that comes at once and takes its time is served, all of it", async () => {
  const context = new Context();
  const pull = use(new Pull({ context, receiveHighWaterMark: 0 }));
  const endpoint = await bound(pull);
  const crowd: Tcp[] = [];
  const count = MOST_PENDING * 3 / 2;
  let ended = 0;
  while (crowd.length < count) {
    crowd.push(
      ...await Promise.all(Array.from({ length: 64 }, () => tcp(endpoint))),
    );
  }
  for (const socket of crowd) {
    socket.once("end", () => ended++).write(greeting());
  }
  await until(
    () => context.resources.connections === count,
    "all are accepted",
  );
  for (const socket of crowd) socket.write(ready("PUSH"));
  await until(() => pull.counters.connections === count, "all stand");
  for (const socket of crowd) socket.write(frame("x"));
  for (let i = 0; i < count; i++) await within(pull.receive(), `message ${i}`);
  assert.is(ended, 0);
});

test("a crowd has more than five seconds where it moves", async () => {
  const context = new Context();
  const pull = use(new Pull({ context, backlog: 4096 }));
  const endpoint = await bound(pull);
  const waiting: Tcp[] = [];
  let ended = 0;
  const stand = (some: Tcp[]) => {
    for (const socket of some) socket.write(bytes(greeting(), ready("PUSH")));
  };
  const standing = (count: number) =>
    until(() => pull.counters.connections === count, `${count} stand`);
  // Each fourth has its handshake at once: the crowd moves, however busy the machine is.
  const count = MOST_PENDING * 2;
  for (let made = 0; made < count; made += 64) {
    const some = await Promise.all(
      Array.from({ length: 64 }, () => tcp(endpoint)),
    );
    for (const socket of some) socket.once("end", () => ended++);
    waiting.push(...some.splice(16));
    stand(some);
    await standing((made + 64) / 4);
  }
  await until(() => context.resources.connections === count, "all accepted");
  const accepted = performance.now();
  await until(() => performance.now() - accepted > 6000, "six seconds");
  stand(waiting);
  await standing(count);
  assert.is(ended, 0);
});

test("connections that stand do not count as waiting", async () => {
  const context = new Context();
  const pull = use(new Pull({ context }));
  await bound(pull);
  const peer = new Context();
  const old = use(new Push({ context: peer, linger: 0 }));
  let lost = 0;
  old.events.on("disconnect", () => lost++);
  old.connect(pull.lastEndpoint!);
  await old.send("old");
  await within(pull.receive(), "the old one");
  for (let i = 0; i < 12; i++) {
    await Promise.all(
      Array.from({ length: 100 }, () => tcp(pull.lastEndpoint!)),
    );
  }
  await until(
    () => context.resources.connections <= MOST_PENDING + 1,
    "the oldest silent ones are closed",
  );
  assert.is(lost, 0);
});

test("announced gigabytes leave room for others", async () => {
  const context = new Context({ memoryLimit: 64 * 2 ** 20 });
  const pull = use(new Pull({ context }));
  await bound(pull);
  const cleanup = new Cleanup();
  try {
    for (let size = 60; size > 0; size -= 4) {
      const hostile = cleanup.add(await dial(pull));
      await hostile.handshake("PUSH");
      const head = Buffer.alloc(9);
      head[0] = 2;
      head.writeBigUInt64BE(BigInt(size * 2 ** 20), 1);
      await hostile.send(head, Buffer.alloc(1000));
    }
    // Above what is left at once, without a byte of the body.
    const far = cleanup.add(await dial(pull));
    await far.handshake("PUSH");
    await far.send(bytes([2, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xf0]));
    await far.ended();
    await serves(pull);
    const more = use(new Dealer({ context, linger: 0 }));
    await bound(more);
    const parts = use(new Push({ context, linger: 0 }));
    parts.connect(pull.lastEndpoint!);
    await parts.send(new Uint8Array(100_000));
    assert.is(
      (await within(pull.receive(), "100 KB"))[0]!.length,
      100_000,
    );
  } finally {
    cleanup.close();
  }
  await serves(pull, 2 ** 20);
});

test("a message without end is cut off", async () => {
  const context = new Context({ memoryLimit: 16 * 2 ** 20 });
  const pull = use(new Pull({ context }));
  await bound(pull);
  const before = context.resources.heap;
  const cleanup = new Cleanup();
  try {
    for (const body of ["", "x".repeat(200), "x".repeat(20_000)]) {
      const hostile = cleanup.add(await dial(pull));
      await hostile.handshake("PUSH");
      const burst = Buffer.concat(Array(500).fill(frame(body, true)));
      let over = false;
      hostile.ended().then(() => over = true, () => {});
      await until(async () => {
        await hostile.send(burst);
        return over;
      }, `the end of parts of ${body.length} bytes`);
      await serves(pull);
    }
  } finally {
    cleanup.close();
  }
  await until(
    () => context.resources.heap < before + 256 * 1024,
    "the parts are gone",
  );
});

test.run();
