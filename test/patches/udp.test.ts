// deno: --unstable-net
/** Datagrams that no honest peer sends, and messages that are none (patches 0010 to 0013, 0085). */
import { Buffer } from "node:buffer";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, defaultHost, type Host } from "zeromq-wasm";
import { Datagram, Dish, Radio } from "zeromq-wasm/draft";
import { closeAll, next, until, use, within } from "../socket/tools.ts";
import { datagram, portOf, RawPeer } from "../udp/tools.ts";

const test = suite("udp");
test.after.each(closeAll);

async function boundDish(): Promise<Dish> {
  const dish = use(new Dish({ context: new Context() }));
  await dish.bind("udp://127.0.0.1:*");
  dish.join("g");
  return dish;
}

async function body(dish: Dish): Promise<string> {
  return String((await within(dish.receive(), "a message"))[0]);
}

test("0010: a group of more than 127 bytes", async () => {
  const dish = await boundDish();
  const raw = await RawPeer.open();
  const long = "x".repeat(200);
  dish.join(long);
  for (
    const hostile of [
      Buffer.of(0x80),
      Buffer.of(0xff),
      Buffer.concat([Buffer.of(0xff), Buffer.alloc(254)]),
      Buffer.concat([Buffer.of(0xff), Buffer.alloc(300)]),
    ]
  ) await raw.send(dish, hostile);
  await raw.send(dish, datagram(long, "long"));
  assert.is(await body(dish), "long");
});

test("0011: a message that is larger than the engine's buffer", async () => {
  const dish = await boundDish();
  const radio = use(new Radio({ context: new Context() }));
  radio.connect(`udp://${dish.lastEndpoint}`);
  for (const size of [8191, 8192, 20_000, 1_000_000]) {
    await radio.send("A".repeat(size), { group: "g" });
  }
  await radio.send("small", { group: "g" });
  assert.is(await body(dish), "small");

  const sender = use(new Datagram({ context: new Context() }));
  await sender.bind("udp://127.0.0.1:*");
  const raw = await RawPeer.open();
  const to = `127.0.0.1:${raw.port}`;
  for (const size of [8193, 20_000, 1_000_000]) {
    await sender.send([to, "A".repeat(size)]);
  }
  await sender.send([to, "small"]);
  assert.is(await raw.receive(), `${portOf(sender)}:small`);
});

test("0012: datagrams that end within the group leave nothing behind", async () => {
  const dish = await boundDish();
  const raw = await RawPeer.open();
  const flood = async (times: number) => {
    for (let i = 0; i < times; i++) {
      // Few enough for the system to keep until they are read.
      for (let j = 0; j < 50; j++) await raw.send(dish, Buffer.of(0x7f));
      await raw.send(dish, datagram("g", "end"));
      assert.is(await body(dish), "end");
    }
  };
  await flood(2);
  const before = dish.context.resources.heap;
  await flood(20);
  const growth = dish.context.resources.heap - before;
  // It was 127 bytes of each that came.
  assert.ok(growth < 20_000, `${growth} bytes`);
});

test("0013: a Datagram on IPv6 ignores what it has no form for", async () => {
  const datagram = use(new Datagram({ context: new Context(), ipv6: true }));
  await datagram.bind("udp://[::1]:*");
  const raw = await RawPeer.open("::1");
  for (let i = 0; i < 10; i++) await raw.send(datagram, "hi", "::1");
  // It lives, and sends nothing to anybody.
  await datagram.send(["127.0.0.1:9", "x"]);
  assert.not(datagram.readable);

  const honest = use(new Datagram({ context: datagram.context }));
  await honest.bind("udp://127.0.0.1:*");
  await honest.send([honest.lastEndpoint!, "x"]);
  assert.equal(await next(honest), [`${honest.lastEndpoint}\0`, "x"]);
});

test("0076: an address as large as no address is ignored", async () => {
  const context = new Context();
  const sender = use(new Datagram({ context }));
  await sender.bind("udp://127.0.0.1:*");
  const raw = await RawPeer.open();
  for (const size of [32767, 32768, 70_000]) {
    await sender.send(["A".repeat(size), "lost"]);
  }
  await sender.send([`127.0.0.1:${raw.port}`, "small"]);
  assert.is(await raw.receive(), `${portOf(sender)}:small`);
  assert.is(context.resources.bodies, 0);
});

test("0085: the address of all is one, what is none is ignored", async () => {
  const sent: string[] = [];
  const local = { host: "127.0.0.1", port: 4321 };
  const datagrams: Host["datagrams"] = {
    check() {},
    open: () =>
      Promise.resolve({
        local,
        start() {},
        send(bytes, { host, port }, done) {
          sent.push(`${host}:${port} ${Buffer.from(bytes)}`);
          done();
        },
        close() {},
      }),
  };
  const host: Host = Object.create(defaultHost(), {
    datagrams: { value: datagrams },
  });
  const sender = use(new Datagram({ context: new Context({ host }) }));
  await sender.bind("udp://127.0.0.1:*");
  for (
    const to of [
      "nobody:99",
      ":99",
      "256.0.0.1:99",
      "255.255.255.255:99",
      "10.1:99",
      "10.0.0.2:99",
    ]
  ) await sender.send([to, "x"]);
  await until(() => sent.length === 3, "all that can be sent");
  assert.equal(sent, [
    "255.255.255.255:99 x",
    "10.0.0.1:99 x",
    "10.0.0.2:99 x",
  ]);
});

test("an empty datagram, and one with an empty group", async () => {
  const dish = await boundDish();
  dish.join("");
  const raw = await RawPeer.open();
  await raw.send(dish, "");
  await raw.send(dish, datagram("", "body"));
  // The first reads as an empty group without a body, or is ignored.
  while (await body(dish) !== "body");
});

test.run();
