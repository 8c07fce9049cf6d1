// deno: --unstable-net
/** Radio, Dish and Datagram over udp, with each other and with plain UDP sockets. */
import { networkInterfaces } from "node:os";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context } from "zeromq-wasm";
import { Datagram, Dish, Radio } from "zeromq-wasm/draft";
import {
  closeAll,
  isDeno,
  next,
  runProgram,
  until,
  use,
  within,
} from "../socket/tools.ts";
import { checkLeaks } from "../support/leaks.ts";
import { datagram, portOf, RawPeer } from "./tools.ts";

const test = suite("udp");
checkLeaks(test, closeAll);
test.after.each(closeAll);

/** A Dish that has joined the group "g". */
async function dishAt(address: string, ipv6 = false): Promise<Dish> {
  const dish = use(new Dish({ ipv6 }));
  await within(dish.bind(address), "bind");
  dish.join("g");
  return dish;
}

function radioTo(dish: Dish, ipv6 = false): Radio {
  const radio = use(new Radio({ ipv6 }));
  radio.connect(`udp://${dish.lastEndpoint}`);
  return radio;
}

async function received(dish: Dish): Promise<[string, string]> {
  const [message, { group }] = await within(dish.receive(), "a message");
  return [String(message), String(group)];
}

test("a Dish gets the groups it has joined", async () => {
  const dish = await dishAt("udp://127.0.0.1:*");
  const radio = radioTo(dish);
  await radio.send("other", { group: "other" });
  await radio.send("", { group: "g" });
  await radio.send("hello", { group: "g" });
  assert.equal(await received(dish), ["", "g"]);
  assert.equal(await received(dish), ["hello", "g"]);
  const long = "x".repeat(255);
  dish.join(long);
  dish.leave("g");
  await radio.send("left", { group: "g" });
  await radio.send("long", { group: long });
  assert.equal(await received(dish), ["long", long]);
});

test("what a Radio sends before its socket is open arrives, in order", async () => {
  const dish = await dishAt("udp://127.0.0.1:*");
  const radio = radioTo(dish);
  const all = Array.from({ length: 60 }, (_, i) => `${i}`);
  await Promise.all(all.map((body) => radio.send(body, { group: "g" })));
  radio.close();
  for (const body of all) assert.equal(await received(dish), [body, "g"]);
});

test("datagrams are as RFC 48 has them", async () => {
  const dish = await dishAt("udp://127.0.0.1:*");
  const raw = await RawPeer.open();
  await raw.send(dish, datagram("g", "raw"));
  assert.equal(await received(dish), ["raw", "g"]);
  const radio = use(new Radio());
  radio.connect(`udp://127.0.0.1:${raw.port}`);
  await radio.send("body", { group: "group" });
  const [, bytes] = (await raw.receive()).split(":");
  assert.is(bytes, "\x05groupbody");
});

test("Datagrams tell and take the peer's address", async () => {
  const [a, b] = [use(new Datagram()), use(new Datagram())];
  await a.bind("udp://127.0.0.1:*");
  await b.bind("udp://127.0.0.1:*");
  await a.send([b.lastEndpoint!, "hello"]);
  const [from, body] = await within(b.receive(), "hello");
  assert.equal([String(from), String(body)], [`${a.lastEndpoint}\0`, "hello"]);
  await b.send([from!, "hello yourself"]);
  assert.equal(await next(a), [`${b.lastEndpoint}\0`, "hello yourself"]);

  const raw = await RawPeer.open();
  await raw.send(a, "");
  assert.equal(await next(a), [`127.0.0.1:${raw.port}\0`, ""]);
  await a.send([`127.0.0.1:${raw.port}`, "bytes"]);
  assert.is(await raw.receive(), `${portOf(a)}:bytes`);
});

test("the largest message is one of 8192 bytes with its group", async () => {
  const dish = await dishAt("udp://127.0.0.1:*");
  const radio = radioTo(dish);
  await radio.send("x".repeat(8191), { group: "g" }); // with its length: one too many
  await radio.send("y".repeat(8190), { group: "g" });
  assert.equal(await received(dish), ["y".repeat(8190), "g"]);
});

test("a Radio connects to the name of a host", async () => {
  const dish = await dishAt("udp://127.0.0.1:*");
  const radio = use(new Radio());
  radio.connect(`udp://localhost:${portOf(dish)}`);
  await radio.send("by name", { group: "g" });
  assert.equal(await received(dish), ["by name", "g"]);
});

test("a name that nobody has loses the messages, and nothing else", async () => {
  const dish = await dishAt("udp://127.0.0.1:*");
  const radio = radioTo(dish);
  radio.connect("udp://no.such.name.invalid:5555");
  for (const body of ["1", "2", "3"]) {
    await radio.send(body, { group: "g" });
    assert.equal(await received(dish), [body, "g"]);
  }
});

test("IPv6", async () => {
  const dish = await dishAt("udp://[::1]:*", true);
  await radioTo(dish, true).send("six", { group: "g" });
  assert.equal(await received(dish), ["six", "g"]);
  const raw = await RawPeer.open("::1");
  await raw.send(dish, datagram("g", "raw"), "::1");
  assert.equal(await received(dish), ["raw", "g"]);
});

test("a Radio reaches all it has connected to, until it disconnects", async () => {
  const dishes = [
    await dishAt("udp://127.0.0.1:*"),
    await dishAt("udp://127.0.0.1:*"),
  ];
  const radio = radioTo(dishes[0]!);
  radio.connect(`udp://${dishes[1]!.lastEndpoint}`);
  await radio.send("both", { group: "g" });
  for (const dish of dishes) {
    assert.equal(await received(dish), ["both", "g"]);
  }
  radio.disconnect(`udp://${dishes[0]!.lastEndpoint}`);
  await radio.send("one", { group: "g" });
  assert.equal(await received(dishes[1]!), ["one", "g"]);
  radio.connect(`udp://${dishes[0]!.lastEndpoint}`);
  await radio.send("both again", { group: "g" });
  assert.equal(await received(dishes[0]!), ["both again", "g"]);
});

test("a port is free after unbind and after close", async () => {
  const context = new Context();
  const dish = use(new Dish({ context }));
  await dish.bind("udp://127.0.0.1:*");
  const address = `udp://${dish.lastEndpoint}`;
  assert.is(context.resources.connections, 1);
  const free = () => context.resources.connections === 0;
  await dish.unbind(address);
  await until(free, "end of what was bound");
  for (let i = 0; i < 3; i++) {
    const again = await dishAt(address);
    await radioTo(again).send(`${i}`, { group: "g" });
    assert.equal(await received(again), [`${i}`, "g"]);
    again.close();
  }
  // By the name it was given too.
  await dish.bind("udp://127.0.0.1:*");
  await dish.unbind("udp://127.0.0.1:*");
  await until(free, "end of what was bound");
});

test("many bind at once, and each has its own", async () => {
  const dishes = await Promise.all(
    Array.from({ length: 10 }, () => dishAt("udp://127.0.0.1:*")),
  );
  assert.is(new Set(dishes.map(portOf)).size, 10);
  for (const [i, dish] of dishes.entries()) {
    await radioTo(dish).send(`${i}`, { group: "g" });
    assert.equal(await received(dish), [`${i}`, "g"]);
  }
});

test("a Dish that nobody reads keeps only so much, and goes on", async () => {
  const context = new Context();
  const dish = use(new Dish({ context, receiveHighWaterMark: 50 }));
  await dish.bind("udp://127.0.0.1:*");
  dish.join("g");
  const raw = await RawPeer.open();
  const before = context.resources.heap;
  for (let i = 0; i < 3000; i++) {
    await raw.send(dish, datagram("g", "x".repeat(1000)));
  }
  const kept = context.resources.heap - before;
  assert.ok(kept < 1_000_000, `${kept} bytes`);
  let told = false;
  const end = until(async () => {
    await raw.send(dish, datagram("g", "end"));
    return told;
  }, "the end");
  for (let count = 0; !told; count++) {
    assert.ok(count < 3000);
    told = (await received(dish))[0] === "end";
  }
  await end;
});

const flags = isDeno ? { deno: ["-A", "--unstable-net"] } : {};

test("a program that has sent and ends has sent", async () => {
  const dish = await dishAt("udp://127.0.0.1:*");
  const { code, err } = await runProgram(
    `const radio = new z.draft.Radio();
    radio.connect("udp://localhost:${portOf(dish)}");
    await radio.send("last words", { group: "g" });`,
    flags,
  );
  assert.equal([code, err], [0, ""]);
  assert.equal(await received(dish), ["last words", "g"]);
});

test("a Dish alone keeps no program alive, one that receives does", async () => {
  const idle = await runProgram(
    `const dish = new z.draft.Dish();
    await dish.bind("udp://127.0.0.1:*");`,
    flags,
  );
  assert.equal([idle.code, idle.err], [0, ""]);
  const receiver = await runProgram(
    `const dish = new z.draft.Dish();
    await dish.bind("udp://127.0.0.1:*");
    dish.join("g");
    setTimeout(() => {
      const radio = new z.draft.Radio();
      radio.connect("udp://" + dish.lastEndpoint);
      radio.send("x", { group: "g" });
    }, 100)?.unref?.();
    console.log(String((await dish.receive())[0]));`,
    flags,
  );
  assert.equal([receiver.out.trim(), receiver.err], ["x", ""]);
});

const [linkLocal] = Object.entries(networkInterfaces()).flatMap(
  ([name, all]) =>
    (all ?? []).filter((it) =>
      it.family === "IPv6" && it.address.startsWith("fe80:") && it.scopeid
    ).map((it) => ({ ...it, name })),
);
if (linkLocal) {
  const { address, name, scopeid } = linkLocal as typeof linkLocal & {
    scopeid: number;
  };
  for (const scope of [name, scopeid]) {
    test(`to a link-local address, scope ${scope}`, async () => {
      const dish = await dishAt(`udp://[${address}%${scope}]:*`, true);
      const radio = radioTo(dish, true);
      await radio.send("hello", { group: "g" });
      assert.equal(await received(dish), ["hello", "g"]);
    });
  }
} else test.skip();

test.run();
