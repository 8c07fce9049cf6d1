/** A Subscriber that does not receive for a while: what it has then. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Subscriber, XPublisher } from "zeromq-wasm";
import { bound, closeAll, next, until, use, within } from "./tools.ts";

const test = suite("unread");
test.after.each(closeAll);

interface Options {
  conflate?: boolean;
}

/** A subscriber, and a way to publish what has arrived at it then. */
async function subscribed(
  transport: "tcp" | "inproc",
  topics: string[],
  options: Options = {},
) {
  let arrived = 0;
  const context = new Context(
    transport === "inproc" ? {} : {
      trace: (line) => {
        const [, size] = /^event input\(\d+, (\d+)\)/.exec(line) ?? [];
        arrived += Number(size ?? 0);
      },
    },
  );
  const publisher = use(
    new XPublisher({
      context: transport === "inproc" ? context : new Context(),
      linger: 0,
    }),
  );
  const subscriber = use(new Subscriber({ context, linger: 0, ...options }));
  subscriber.subscribe(...topics);
  subscriber.connect(await bound(publisher, transport));
  for (const _ of topics) await within(publisher.receive(), "a subscription");
  const publish = async (text: string) => {
    // A head of two bytes goes before it.
    const expected = arrived + text.length + 2;
    await publisher.send(text);
    if (transport === "tcp") {
      await until(() => arrived >= expected, `${text} arrives`);
    }
    // Whoever is told of it has been told then.
    for (let i = 0; i < 3; i++) await new Promise((r) => setImmediate(r));
  };
  return { publish, subscriber };
}

for (const transport of ["tcp", "inproc"] as const) {
  test(`with conflate it is the last message over ${transport}`, async () => {
    const { publish, subscriber } = await subscribed(transport, [""], {
      conflate: true,
    });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 10; i++) await publish(`${round}.${i}`);
      assert.equal(await next(subscriber), [`${round}.9`]);
    }
    const waits = next(subscriber);
    await publish("end");
    assert.equal(await waits, ["end"]);
  });

  test(`nothing of a topic that it has left over ${transport}`, async () => {
    for (const hasReceived of [false, true]) {
      const { publish, subscriber } = await subscribed(transport, ["a", "b"]);
      if (hasReceived) {
        await publish("before");
        assert.equal(await next(subscriber), ["before"]);
      }
      for (let i = 0; i < 3; i++) await publish(`a${i}`);
      subscriber.unsubscribe("a");
      await publish("b");
      assert.equal(await next(subscriber), ["b"]);
    }
  });
}

test.run();
