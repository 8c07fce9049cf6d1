/** A process without room for the piece that has freed memory kept: nothing else is lost. */
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import { bound, closeAll, use } from "../socket/tools.ts";

const test = suite("unkept memory");
test.after.each(closeAll);

const MOST = 2 ** 24;
const keeps = process.platform === "linux" && !("Bun" in globalThis);

test("the first large message arrives where there is no room for more", async () => {
  const { ArrayBuffer } = globalThis;
  const pull = use(new Pull());
  const push = use(new Push());
  push.connect(await bound(pull));
  let refused = 0;
  globalThis.ArrayBuffer = class extends ArrayBuffer {
    constructor(size: number) {
      if (size > MOST) {
        refused++;
        throw new RangeError("Array buffer allocation failed");
      }
      super(size);
    }
  } as typeof ArrayBuffer;
  try {
    for (const size of [100_000, 200_000]) {
      await push.send(new Uint8Array(size).fill(7));
      const [frame] = await pull.receive();
      assert.is(frame!.length, size);
      assert.ok(frame!.every((byte) => byte === 7));
    }
  } finally {
    globalThis.ArrayBuffer = ArrayBuffer;
  }
  assert.is(refused, keeps ? 1 : 0, "it is asked for once");
});

test.run();
