/** Long bursts of messages: to many connections they leave together, and none is lost. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pull, Push, Subscriber, XPublisher } from "zeromq-wasm";
import { bound, closeAll, use, within } from "../socket/tools.ts";

const test = suite("bursts");
test.after.each(closeAll);

const CONNECTIONS = 200;
const MESSAGES = 20_000;

/** A PUSH with many connections in a context of its own, and their PULL. */
async function spread(context: Context): Promise<[Push, Pull]> {
  const pull = use(new Pull({ receiveHighWaterMark: 0 }));
  const push = use(new Push({ context, linger: 0 }));
  const address = await bound(pull);
  for (let i = 0; i < CONNECTIONS; i++) push.connect(address);
  // A message for each of them.
  for (let i = 0; i < CONNECTIONS; i++) await push.send("hello");
  for (let i = 0; i < CONNECTIONS; i++) await within(pull.receive(), "hello");
  return [push, pull];
}

async function flood(push: Push, pull: Pull): Promise<void> {
  const received = (async () => {
    for (let i = 0; i < MESSAGES; i++) await pull.receive();
  })();
  for (let i = 0; i < MESSAGES; i++) await push.send("message");
  await within(received, "all messages");
}

test("a burst to many connections is a few writes for each", async () => {
  let writes = 0;
  const context = new Context({
    trace: (line) => writes += line.startsWith("call  send(") ? 1 : 0,
  });
  const [push, pull] = await spread(context);
  writes = 0;
  await flood(push, pull);
  assert.ok(writes >= CONNECTIONS, `${writes} writes`);
  assert.ok(writes < MESSAGES / 2, `${writes} writes`);
});

test("what follows such a burst leaves without another", async () => {
  const [push, pull] = await spread(new Context());
  await flood(push, pull);
  for (let i = 0; i < 3; i++) {
    await push.send("last words");
    const [text] = await within(pull.receive(), "the last words");
    assert.is(text!.toString(), "last words");
  }
});

test("who would drop messages has short bursts all the same", async () => {
  let writes = 0;
  const context = new Context({
    trace: (line) => writes += line.startsWith("call  send(") ? 1 : 0,
  });
  const publisher = use(new XPublisher({ context, linger: 0 }));
  const subscriber = use(new Subscriber());
  subscriber.connect(await bound(publisher));
  subscriber.subscribe("");
  await within(publisher.receive(), "the subscription");
  const [push, pull] = await spread(context);
  await flood(push, pull);
  writes = 0;
  for (let i = 0; i < 4096; i++) await publisher.send("message");
  assert.ok(writes >= 8, `${writes} writes`);
});

test.run();
