/** The draft sockets: whom messages go to, and what tells where they came from. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Socket } from "zeromq-wasm";
import {
  Client,
  Dish,
  Gather,
  Radio,
  Scatter,
  Server,
} from "zeromq-wasm/draft";
import { bound, closeAll, until, use, within } from "../socket/tools.ts";
import { outcome } from "./module.ts";

const test = suite("draft");
test.after.each(closeAll);

for (const transport of ["tcp", "inproc"] as const) {
  test(`a Server answers the Client that asked, over ${transport}`, async () => {
    const server = use(new Server());
    const address = await bound(server, transport);
    const clients = [1, 2].map(() => use(new Client({ linger: 0 })));
    for (const [i, client] of clients.entries()) {
      client.connect(address);
      await client.send(`question ${i}`);
    }
    const ids = new Set<number>();
    for (const _ of clients) {
      const [question, { routingId }] = await within(
        server.receive(),
        "a question",
      );
      assert.type(routingId, "number");
      ids.add(routingId);
      await server.send(`${question}: answer`, { routingId });
    }
    assert.is(ids.size, 2);
    for (const [i, client] of clients.entries()) {
      const message = await within(client.receive(), "an answer");
      assert.equal(message.map(String), [`question ${i}: answer`]);
    }
  });

  test(`a Dish gets the groups that it joined, over ${transport}`, async () => {
    const radio = use(new Radio({ linger: 0 }));
    const dish = use(new Dish());
    dish.join("a", Buffer.from("b"));
    dish.connect(await bound(radio, transport));
    let there = false;
    const first = dish.receive().then((message) => {
      there = true;
      return message;
    });
    await until(async () => {
      await radio.send("x", { group: "c" });
      await radio.send("y", { group: "b" });
      return there;
    }, "a message");
    const [message, { group }] = await first;
    assert.equal([String(message), String(group)], ["y", "b"]);
    assert.ok(Buffer.isBuffer(message) && Buffer.isBuffer(group));
    dish.leave("b");
    await radio.send("last", { group: Buffer.from("a") });
    for (;;) {
      const [text, { group }] = await within(dish.receive(), "the last");
      if (String(group) === "b") continue;
      assert.equal([String(text), String(group)], ["last", "a"]);
      break;
    }
  });

  test(`Scatter deals to Gathers, over ${transport}`, async () => {
    const scatter = use(new Scatter({ linger: 0 }));
    const gather = use(new Gather());
    scatter.connect(await bound(gather, transport));
    for (let i = 0; i < 5; i++) await scatter.send(`${i}`);
    let i = 0;
    for await (const message of gather) {
      assert.equal(message.map(String), [`${i}`]);
      if (++i === 5) break;
    }
  });
}

test("groups that cannot be", async () => {
  const dish = use(new Dish());
  dish.join("a");
  assert.is(await outcome(() => dish.join("a")), "throws EINVAL");
  assert.is(await outcome(() => dish.leave("b")), "throws EINVAL");
  assert.is(await outcome(() => dish.leave("a")), "ok");
});

test("nobody to send to", async () => {
  const server = use(new Server({ sendTimeout: 0 }));
  await bound(server);
  assert.is(
    await outcome(() => server.send("x", { routingId: 12345 })),
    "EHOSTUNREACH",
  );
  for (const socket of [new Client(), new Scatter()]) {
    use(socket).sendTimeout = 0;
    assert.is(await outcome(() => socket.send("x")), "EAGAIN");
  }
  const gather: Gather & Socket = use(new Gather({ receiveTimeout: 0 }));
  assert.is(await outcome(() => gather.receive()), "EAGAIN");
});

test("whom there can be no message to", async () => {
  const server = use(new Server()), radio = use(new Radio());
  const dish = use(new Dish());
  const cases: [string, () => unknown][] = [
    ["no routing id", () => server.send("x", {} as never)],
    ["no group", () => radio.send("x", {} as never)],
    ["joining a long group", () => dish.join("x".repeat(256))],
  ];
  for (const [what, operation] of cases) {
    assert.match(await outcome(operation), /EINVAL$/, what);
  }
});

test.run();
