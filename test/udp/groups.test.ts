// deno: --unstable-net
/** Multicast and broadcast, on the loopback interface. */
import { spawn } from "node:child_process";
import { networkInterfaces } from "node:os";
import * as assert from "uvu/assert";
import { Context } from "zeromq-wasm";
import { Datagram, Dish, Radio } from "zeromq-wasm/draft";
import { setRaw } from "../patches/hostile.ts";
import { closeAll, next, until, use, within } from "../socket/tools.ts";
import { checkLeaks } from "../support/leaks.ts";
import { interopSuite, python } from "../support/python.ts";
import { portOf } from "./tools.ts";

// Python has no need of pyzmq here, but where that is, Python is.
const test = interopSuite("udp groups");
checkLeaks(test, closeAll);
test.after.each(closeAll);

const GROUP = "239.255.71.3", OTHER = "239.255.71.4";
const ZMQ_MULTICAST_LOOP = 96;

async function member(group: string, port: number | "*" = "*"): Promise<Dish> {
  const dish = use(new Dish({ context: new Context() }));
  await within(dish.bind(`udp://127.0.0.1;${group}:${port}`), "bind");
  dish.join("g");
  return dish;
}

function radioTo(
  group: string,
  port: number,
  hops?: number,
): Radio {
  const radio = use(new Radio());
  if (hops) radio.multicastHops = hops;
  radio.connect(`udp://127.0.0.1;${group}:${port}`);
  return radio;
}

const receive = async (dish: Dish): Promise<string> =>
  String((await within(dish.receive(), "a message"))[0]);

test("all members of a group get what is sent to it", async () => {
  const first = await member(GROUP);
  const port = portOf(first);
  const second = await member(GROUP, port);
  const other = await member(OTHER, port);
  await radioTo(GROUP, port).send("to the group", { group: "g" });
  assert.is(await receive(first), "to the group");
  assert.is(await receive(second), "to the group");
  await radioTo(OTHER, port).send("to the other", { group: "g" });
  // Linux gives every socket of the port what any socket of the machine has joined, so that
  // the first message may have come here too.
  while (await receive(other) !== "to the other");
});

test("members bind to one port at the same time", async () => {
  const port = portOf(await member(GROUP));
  const dishes = await Promise.all([1, 2, 3].map(() => member(GROUP, port)));
  await radioTo(GROUP, port).send("all", { group: "g" });
  for (const dish of dishes) assert.is(await receive(dish), "all");
});

// The loopback interface gives back everything that it is given.
const outside = Object.values(networkInterfaces()).flat()
  .find((it) => it?.family === "IPv4" && !it.internal)?.address;

for (const loop of [true, false]) {
  const name = `what is sent ${loop ? "comes" : "does not come"} back`;
  (outside ? test : test.skip)(name, async () => {
    const dish = use(new Dish());
    await dish.bind(`udp://${outside};${GROUP}:*`);
    dish.join("g");
    const radio = use(new Radio());
    if (!loop) setRaw(radio, ZMQ_MULTICAST_LOOP, 0);
    radio.connect(`udp://${outside};${GROUP}:${portOf(dish)}`);
    const end = use(new Radio());
    end.connect(`udp://${outside}:${portOf(dish)}`);
    const got: string[] = [];
    // A datagram on the same machine is there when it has been sent.
    for (let i = 0; i < 10; i++) {
      await radio.send("again", { group: "g" });
      await end.send("end", { group: "g" });
      while (got.push(await receive(dish)) && got.at(-1) !== "end");
    }
    assert.is(got.includes("again"), loop, String(got));
  });
}

test("hops are what the datagram says", async () => {
  // Prints its port, and the TTL of each datagram that comes to the group.
  const receiver = spawn(python!, [
    "-u",
    "-c",
    `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
s.bind(("0.0.0.0", 0))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
             socket.inet_aton("${GROUP}") + socket.inet_aton("127.0.0.1"))
print(s.getsockname()[1])
while True:
    data, parts, _, _ = s.recvmsg(100, 100)
    print(data.decode()[2:], int.from_bytes(parts[0][2], sys.byteorder))
`,
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => receiver.on("close", resolve));
  let text = "";
  receiver.stdout!.setEncoding("utf8").on("data", (chunk) => text += chunk);
  try {
    await until(() => text.includes("\n"), "Python");
    const port = Number(text);
    for (const hops of [1, 5, 255]) {
      await radioTo(GROUP, port, hops).send(`${hops}`, { group: "g" });
      await until(() => text.includes(`${hops} ${hops}\n`), `${hops} hops`);
    }
  } finally {
    receiver.kill("SIGKILL");
    await ended;
  }
});

test("a Datagram is a member too", async () => {
  const datagram = use(new Datagram());
  await datagram.bind(`udp://127.0.0.1;${GROUP}:*`);
  await radioTo(GROUP, portOf(datagram)).send("body", { group: "g" });
  const [from, body] = await next(datagram);
  assert.match(from!, /^127\.0\.0\.1:\d+\0$/);
  assert.is(body, "\x01gbody");
});

test("broadcast", async () => {
  const dish = use(new Dish());
  await dish.bind("udp://*:*");
  dish.join("g");
  const radio = use(new Radio());
  radio.connect(`udp://127.255.255.255:${portOf(dish)}`);
  await radio.send("to all", { group: "g" });
  assert.is(await receive(dish), "to all");
});

test.run();
