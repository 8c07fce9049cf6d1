/** Many messages leave with few writes. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pull, Push } from "zeromq-wasm";
import { bound, closeAll, next, use } from "../socket/tools.ts";

const test = suite("gather");
test.after.each(closeAll);

test("an await on every send does not cost a write for every few", async () => {
  let writes = 0;
  const context = new Context({
    trace: (line) => {
      if (/call +send\(/.test(line)) writes++;
    },
  });
  const pull = use(new Pull({ receiveHighWaterMark: 0 }));
  const push = use(new Push({ context, sendHighWaterMark: 0, linger: 0 }));
  push.connect(await bound(pull));
  await push.send("first");
  assert.equal(await next(pull), ["first"]);
  writes = 0;
  for (let i = 0; i < 20_000; i++) await push.send("sixteen bytes...");
  for (let i = 0; i < 20_000; i++) await pull.receive();
  assert.ok(writes >= 1 && writes <= 1000, `${writes} writes`);
});

test.run();
