/** Large frames are read to their place, not by way of a pad. */
import fs from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import { bound, closeAll, use, within } from "./tools.ts";

const test = suite("placed");
test.after.each(closeAll);

/** Where so much fits at most no frame has its place. */
const HEADS = 4096;

for (const size of [65_536, 1_000_000]) {
  test(`frames of ${size} bytes`, async () => {
    const real = fs.readvSync;
    let placed = 0;
    fs.readvSync = (...args) => {
      const read = real(...args);
      let left = read;
      for (const { byteLength } of args[1]) {
        const here = Math.min(left, byteLength);
        left -= here;
        if (byteLength > HEADS) placed += here;
      }
      return read;
    };
    try {
      const count = Math.ceil(40_000_000 / size);
      const push = use(new Push({ linger: 0, sendHighWaterMark: 0 }));
      const pull = use(new Pull());
      push.connect(await bound(pull));
      const frame = (i: number) => Buffer.alloc(size, i);
      const sending = (async () => {
        for (let i = 0; i < count; i++) await push.send(frame(i));
      })();
      for (let i = 0; i < count; i++) {
        const [got] = await within(pull.receive(), `message ${i}`);
        assert.ok(frame(i).equals(got!), `message ${i}`);
      }
      await sending;
      const share = placed / (count * size);
      assert.ok(share > 0.5, `${Math.round(share * 100)} % were placed`);
    } finally {
      fs.readvSync = real;
    }
  });
}

test.run();
