/** Frames that are handed over to another thread. */
import { MessageChannel } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import { bound, closeAll, isBun, isDeno, use, within } from "./tools.ts";

const test = suite("transfer");
test.after.each(closeAll);

/** Frames of one size that were all there before the first was asked for. */
async function received(size: number): Promise<Buffer<ArrayBuffer>[]> {
  const push = use(new Push({ linger: 0 })), pull = use(new Pull());
  push.connect(await bound(pull, "inproc"));
  const sent = Array.from({ length: 100 }, (_, i) => Buffer.alloc(size, i));
  await push.sendMany(sent);
  const frames = [];
  for (const _ of sent) {
    const [frame] = await within(pull.receive(), "a message");
    frames.push(frame as Buffer<ArrayBuffer>);
  }
  return frames;
}

/** On Deno, whose buffers have no such mark, small frames would empty others. */
const SIZES = [...isDeno ? [] : [20, 100, 1000, 2000], 5000, 70_000];

for (const size of SIZES) {
  test(`a frame of ${size} bytes takes no other with it`, async () => {
    const frames = await received(size);
    const [handed] = frames.splice(50, 1);
    const { port1 } = new MessageChannel();
    const hand = () => port1.postMessage(handed, [handed!.buffer]);
    const shared = frames.some(({ buffer }) => buffer === handed!.buffer);
    // See `Host.ownBytes`, and zw_recv in wasm/messages.cpp.
    assert.is(shared, size > (isBun ? 1000 : 32) && size <= 4096);
    try {
      hand();
    } catch (error) {
      // Node 20 copies what cannot be transferred.
      assert.ok(
        shared && (error as Error).name === "DataCloneError",
        `${error}`,
      );
    } finally {
      port1.close();
    }
    assert.is(handed!.length, shared ? size : 0);
    for (const [i, frame] of frames.entries()) {
      const expected = Buffer.alloc(size, i < 50 ? i : i + 1);
      assert.ok(frame.equals(expected), `frame ${i}`);
    }
  });
}

test.run();
