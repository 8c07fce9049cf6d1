/** A host that has better memory for large frames, or cannot keep small ones from others. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, type Host, Pull, Push } from "zeromq-wasm";
import { closeAll, use, within } from "../socket/tools.ts";
import { memoryHost } from "./memory_host.ts";

const test = suite("memory of a host");
test.after.each(closeAll);

async function received(
  host: Partial<Host>,
  sizes: readonly number[],
): Promise<Uint8Array[]> {
  const context = new Context({ host: { ...memoryHost(), ...host } });
  const push = use(new Push({ context, linger: 0 }));
  const pull = use(new Pull({ context }));
  await pull.bind("tcp://10.0.0.1:*");
  push.connect(pull.lastEndpoint!);
  await push.sendMany(sizes.map((size, i) => new Uint8Array(size).fill(i)));
  const frames: Uint8Array[] = [];
  for (const size of sizes) {
    const [frame] = await within(pull.receive(), "a message");
    assert.is(frame.length, size);
    assert.ok(frame.every((byte) => byte === frames.length));
    frames.push(frame);
  }
  return frames;
}

test("its memory is for frames of 32 KB and more", async () => {
  const made = new Map<ArrayBufferLike, number>();
  const frames = await received({
    largeMemory(size) {
      if (size === 50_000) return undefined; // then it is the engine's
      const memory = new Uint8Array(size);
      made.set(memory.buffer, size);
      return memory;
    },
  }, [100, 10_000, 32_768, 50_000, 100_000]);
  assert.equal(
    frames.map(({ buffer }) => made.get(buffer)),
    [undefined, undefined, 32_768, undefined, 100_000],
  );
});

test("where buffers cannot be kept, each small frame has its own", async () => {
  let asked = 0;
  const frames = await received({
    ownBytes: 10,
    keep: () => (asked++, false),
  }, new Array(100).fill(1000));
  const buffers = new Set(frames.map(({ buffer }) => buffer));
  assert.is(buffers.size, frames.length);
  assert.is(asked, 1);
});

test.run();
