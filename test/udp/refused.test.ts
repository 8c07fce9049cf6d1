// deno: --unstable-net
/** What udp refuses, and what it ignores. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pull, Push } from "zeromq-wasm";
import { Datagram, Dish, Radio } from "zeromq-wasm/draft";
import {
  checkError,
  closeAll,
  next,
  rejection,
  stays,
  thrown,
  until,
  use,
  within,
} from "../socket/tools.ts";
import { checkLeaks } from "../support/leaks.ts";
import { RawPeer } from "./tools.ts";

const test = suite("udp refused");
checkLeaks(test, closeAll);
test.after.each(closeAll);

/** An address, and what it is to bind to it and to connect to it; undefined: not to be refused. */
const MALFORMED: [string, string | undefined, string | undefined][] = [
  ["udp://", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:x", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:-1", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:65536", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:*", undefined, "EINVAL"],
  ["udp://*:5555", undefined, "EINVAL"],
  ["udp://192.0.2.77:*", "EADDRNOTAVAIL", "EINVAL"],
  ["udp://no.such.name.invalid:5555", "ENODEV", undefined],
  ["udp://::1:5555", "ENODEV", "EINVAL"],
  ["udp://127.0.0.1;127.0.0.1:5555", "EINVAL", "EINVAL"],
  ["udp://239.0.0.1;239.0.0.2:5555", "EINVAL", "EINVAL"],
  ["udp://nosuchif;239.0.0.1:5555", "ENODEV", "ENODEV"],
  ["udp://;239.0.0.1:5555", "ENODEV", "ENODEV"],
  ["udp://localhost;239.0.0.1:5555", "ENODEV", "ENODEV"],
];

for (const [address, atBind, atConnect] of MALFORMED) {
  test(`${address} is ${atBind} to bind, ${atConnect} to connect`, async () => {
    const context = new Context();
    const dish = use(new Dish({ context }));
    if (atBind) {
      checkError(await rejection(dish.bind(address)), atBind, { address });
    }
    const radio = use(new Radio({ context }));
    if (atConnect) {
      checkError(thrown(() => radio.connect(address)), atConnect, { address });
    } else radio.connect(address);
    assert.is(context.resources.connections, 0);
    // Neither is the worse for it.
    await dish.bind("udp://127.0.0.1:*");
    dish.join("g");
    radio.connect(`udp://${dish.lastEndpoint}`);
    await radio.send("x", { group: "g" });
    assert.is(String((await within(dish.receive(), "x"))[0]), "x");
  });
}

test("an interface that is not there (IPv6)", async () => {
  const address = "udp://nosuchif;[ff02::77]:5555";
  const dish = use(new Dish({ ipv6: true }));
  checkError(await rejection(dish.bind(address)), "ENODEV", { address });
  const radio = use(new Radio({ ipv6: true }));
  checkError(
    thrown(() => radio.connect(address)),
    "Deno" in globalThis ? "EOPNOTSUPP" : "ENODEV",
    { address },
  );
});

for (const [name, Type] of Object.entries({ Pull, Push })) {
  test(`${name} has no udp`, async () => {
    const address = "udp://127.0.0.1:5555";
    const context = new Context();
    const socket = use(new Type({ context }));
    const code = "ENOCOMPATPROTO";
    checkError(await rejection(socket.bind(address)), code, { address });
    checkError(thrown(() => socket.connect(address)), code, { address });
    assert.is(context.resources.connections, 0);
  });
}

test("a Radio only connects, a Dish and a Datagram only bind", async () => {
  const address = "udp://127.0.0.1:5555";
  const code = "ENOCOMPATPROTO";
  const radio = use(new Radio());
  checkError(await rejection(radio.bind(address)), code, { address });
  for (const socket of [use(new Dish()), use(new Datagram())]) {
    checkError(thrown(() => socket.connect(address)), code, { address });
  }
});

test("a port that another has for itself", async () => {
  const raw = await RawPeer.open();
  const address = `udp://127.0.0.1:${raw.port}`;
  const dish = use(new Dish());
  checkError(await rejection(dish.bind(address)), "EADDRINUSE", { address });
});

test("binding to a device", async () => {
  const address = "udp://127.0.0.1:5555";
  const says = /interface/;
  const radio = use(new Radio({ interface: "lo" }));
  checkError(thrown(() => radio.connect(address)), "EINVAL", { address, says });
  const dish = use(new Dish({ interface: "lo" }));
  checkError(await rejection(dish.bind(address)), "EINVAL", { address, says });
});

test("what a Datagram cannot send is dropped", async () => {
  const datagram = use(new Datagram());
  await datagram.bind("udp://127.0.0.1:*");
  const raw = await RawPeer.open();
  const here = `127.0.0.1:${raw.port}`;
  for (
    const address of [
      "",
      ":",
      "127.0.0.1",
      "127.0.0.1:",
      "127.0.0.1:0",
      "127.0.0.1:x",
      `localhost:${raw.port}`,
      `[::1]:${raw.port}`,
      `256.0.0.1:${raw.port}`,
      `\0:${raw.port}`,
      "x".repeat(5000),
    ]
  ) await datagram.send([address, "not sent"]);
  await datagram.send([here, "x".repeat(8193)]);
  await datagram.send([here, "sent"]);
  assert.match(await raw.receive(), /:sent$/);
});

test("a Datagram bound a second time stays with the first", async () => {
  const context = new Context();
  const datagram = use(new Datagram({ context }));
  await datagram.bind("udp://127.0.0.1:*");
  const first = datagram.lastEndpoint;
  await datagram.bind("udp://127.0.0.1:*");
  const raw = await RawPeer.open();
  await raw.send({ lastEndpoint: first }, "x");
  assert.equal(await next(datagram), [`127.0.0.1:${raw.port}\0`, "x"]);
  assert.ok(context.resources.connections <= 2);
});

test("closed in the middle of bind", async () => {
  const context = new Context();
  const dish = new Dish({ context });
  const bound = dish.bind("udp://127.0.0.1:*");
  dish.close();
  await bound.catch(() => {});
  assert.is(dish.closed, true);
  await until(() => context.resources.connections === 0, "its end");
});

test("a Dish hears nothing from elsewhere than its address", async () => {
  const dish = use(new Dish());
  await dish.bind("udp://127.0.0.1:*");
  dish.join("g");
  const raw = await RawPeer.open();
  await raw.send(dish, "\x01gx", "127.0.0.2").catch(() => {});
  assert.ok(await stays(dish.receive().catch(() => {})));
});

test.run();
