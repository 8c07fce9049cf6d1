/** What the fuzzers found, each once more (patch 0060). */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, draft } from "zeromq-wasm";
import {
  bound,
  closeAll,
  runProgram,
  until,
  use,
  within,
} from "../socket/tools.ts";

const test = suite("found");
test.after.each(closeAll);

test("heartbeats of a RADIO do not end the connection of a DISH", async () => {
  const radio = use(
    new draft.Radio({ linger: 0, heartbeatInterval: 20 }),
  );
  const dish = use(
    new draft.Dish({
      context: new Context(),
      linger: 0,
      reconnectInterval: 10,
    }),
  );
  dish.join("g");
  let ended = 0, sent = 0;
  dish.events.on("disconnect", () => ended++);
  radio.events.on("disconnect", () => ended++);
  dish.connect(await bound(radio));
  const got = dish.receive();
  let done = false;
  void got.finally(() => done = true).catch(() => {});
  await until(async () => {
    await radio.send("first", { group: "g" });
    return done;
  }, "the first message");
  // Long enough for some heartbeats.
  await until(() => ++sent > 100, "heartbeats");
  assert.is(ended, 0);
  for (;;) {
    await radio.send("last", { group: "g" });
    const [body] = await within(dish.receive(), "the last message");
    if (String(body) === "last") break;
  }
});

test("an inproc connection that nobody meets does not keep a process alive", async () => {
  const { code, err } = await runProgram(`
    const context = new z.Context();
    for (const linger of [0, 100]) {
      const pair = new z.Pair({ context, linger });
      pair.connect("inproc://nobody");
      await pair.send("lost");
      if (linger === 0) pair.close();
    }`);
  assert.is(code, 0, err);
});

test.run();
