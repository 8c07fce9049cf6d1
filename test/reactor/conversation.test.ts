/** Fast round trips, after which other things happen. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pair, Pull, Push } from "zeromq-wasm";
import { bound, closeAll, use, within } from "../socket/tools.ts";

const test = suite("conversation");
test.after.each(closeAll);

/** So many that answers are looked out for. */
const TRIPS = 2000;
const ROUNDS = 10;
const AT_ONCE = 4;

test("after fast trips all arrives that a full queue has kept outside", async () => {
  const server = use(new Pair({ context: new Context() }));
  const client = use(
    new Pair({ context: new Context(), receiveHighWaterMark: 1 }),
  );
  client.connect(await bound(server));
  const served = (async () => {
    for await (const [text] of server) {
      for (let i = Number(text); i > 0; i--) await server.send("answer");
    }
  })();
  const ask = async (answers: number) => {
    await client.send(answers);
    for (let i = 1; i <= answers; i++) {
      await within(client.receive(), `${i} of ${answers} answers`);
    }
  };
  for (let i = 0; i < TRIPS; i++) await ask(1);
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < 20; i++) await ask(1);
    await ask(AT_ONCE);
  }
  server.close();
  await served;
});

test("who asks again and again in microtasks gets what a full queue has kept outside", async () => {
  const count = 10;
  const push = use(new Push({ context: new Context(), linger: 0 }));
  const pull = use(
    new Pull({ context: new Context(), receiveHighWaterMark: 1 }),
  );
  pull.connect(await bound(push));
  for (let i = 0; i < count; i++) await push.send("message");
  await within(pull.receive(), "the first message");
  pull.receiveTimeout = 0;
  let received = 0;
  for (let asked = 0; received < count - 1 && asked < 200_000; asked++) {
    const message = await pull.receive().catch(({ code }) => code);
    if (message !== "EAGAIN") received++;
  }
  assert.is(received, count - 1);
});

test.run();
