/** Messages that were queued when their socket was closed all arrive, whatever they are. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import { bound, closeAll, use, within } from "./tools.ts";

const test = suite("last messages");
test.after.each(closeAll);

for (
  const [count, bytes, outBatchSize] of [
    [3, 100_000, 65536],
    [500, 10_000, 65536],
    [50, 100, 65536],
    [3000, 1000, 1 << 20],
  ] as const
) {
  const batch = outBatchSize === 65536 ? "" : `, outBatchSize ${outBatchSize}`;
  for (const connectFirst of [false, true]) {
    const when = connectFirst ? "connected" : "connecting";
    test(`${count} of ${bytes} bytes, ${when}${batch}`, async () => {
      const pull = use(new Pull({ receiveHighWaterMark: 1 }));
      const push = use(new Push({ sendHighWaterMark: 0, outBatchSize }));
      push.connect(await bound(pull));
      if (connectFirst) {
        await push.send("first");
        await within(pull.receive(), "the first");
      }
      for (let i = 0; i < count; i++) {
        await push.send([String(i), Buffer.alloc(bytes)]);
      }
      push.close();
      for (let i = 0; i < count; i++) {
        const [name, body] = await within(pull.receive(), `message ${i}`);
        assert.is(String(name), String(i));
        assert.is(body!.length, bytes);
      }
    });
  }
}

test("batches larger than what is written at once, with bodies after them", async () => {
  const outBatchSize = 4 << 20;
  const push = use(new Push({ sendHighWaterMark: 0, outBatchSize }));
  const pull = use(new Pull({ receiveHighWaterMark: 0 }));
  push.connect(await bound(pull));
  await push.send("first");
  await within(pull.receive(), "the first");
  const sizes = Array(45).fill(30_000);
  sizes.push(100_000, 20, 3_000_000, 1 << 20, ...sizes, 500_000);
  const sent = sizes.map((size, i) => push.send(Buffer.alloc(size, i)));
  await within(Promise.all(sent), "room for all");
  for (const [i, size] of sizes.entries()) {
    const [body] = await within(pull.receive(), `message ${i}`);
    assert.equal([body!.length, body![0], body!.at(-1)], [size, i, i]);
  }
});

test.run();
