/** Memory of large frames on Bun: the C library's, once there are some. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import type { BunLibrary } from "../../ts/host/bun_library.ts";
import { largeMemory, makerIn } from "../../ts/host/bun_memory.ts";
import { gc } from "../support/collector.ts";
import { bound, closeAll, isBun, use, within } from "../socket/tools.ts";

const test = suite("memory on Bun");
test.after.each(closeAll);

const MEGABYTE = 2 ** 20;

test("the library is opened once, after 8 MB", () => {
  let opened = 0;
  const make = largeMemory(() => {
    opened++;
    return (size) => new Uint8Array(size);
  });
  for (let i = 0; i < 8; i++) {
    assert.is(opened, 0);
    assert.is(make(MEGABYTE), undefined);
  }
  for (let i = 0; i < 3; i++) assert.is(make(100_000)!.length, 100_000);
  assert.is(opened, 1);
});

test("where there is none, nobody asks again", () => {
  let asked = 0;
  const make = largeMemory(() => void asked++);
  for (let i = 0; i < 20; i++) assert.is(make(MEGABYTE), undefined);
  assert.is(asked, 1);
});

test("what has no ArrayBuffer, as before Bun 1.4, is not used", () => {
  const made = (buffer: ArrayBuffer | undefined) =>
    makerIn({
      ffi: { toBuffer: () => ({ buffer }) },
      functions: {
        malloc: () => 8,
        free: Object.assign(() => {}, { ptr: 16 }),
      },
    } as unknown as BunLibrary);
  assert.is(made(undefined), undefined);
  assert.type(made(new ArrayBuffer(1)), "function");
});

/** Its real memory, where this is Bun on Linux with glibc. */
function real(): ((size: number) => Buffer) | undefined {
  if (!isBun || process.platform !== "linux") return undefined;
  const make = largeMemory();
  make(8 * MEGABYTE);
  return make(1) && ((size) => make(size) as Buffer);
}

const make = real();

test("Bun has it with glibc", () => {
  const glibc = isBun && process.platform === "linux" &&
    readFileSync("/proc/self/maps", "latin1").includes("/libc.so.6");
  assert.is(make !== undefined, glibc);
});

if (make) {
  test("pieces are Buffers of their own", () => {
    for (const size of [1, 32768, 100_001, 64 * MEGABYTE]) {
      const piece = make(size);
      assert.ok(Buffer.isBuffer(piece));
      assert.equal(
        [piece.length, piece.byteOffset, piece.buffer.byteLength],
        [size, 0, size],
      );
    }
  });

  test("what cannot be had is a RangeError that says how much", () => {
    assert.throws(
      () => make(2 ** 50),
      (error: Error) =>
        error instanceof RangeError && /1125899906842624/.test(error.message),
    );
  });

  test("they live as long as a view of them", () => {
    const views = Array.from(
      { length: 500 },
      (_, i) => make(100_000).fill(i).subarray(50_000, 50_100),
    );
    for (let i = 0; i < 5; i++) {
      gc();
      for (let j = 0; j < 100; j++) make(100_000).fill(255);
    }
    for (const [i, view] of views.entries()) {
      assert.ok(view.every((byte) => byte === i % 256), `view ${i}`);
    }
  });

  test("and are given back when there is none", () => {
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 2000; i++) make(MEGABYTE).fill(1);
    gc();
    const grown = (process.memoryUsage.rss() - before) / MEGABYTE;
    assert.ok(grown < 500, `${grown} of 2000 MB are left`);
  });

  test("another thread may have them, and end", async () => {
    const worker = new Worker(
      `const { parentPort } = require("node:worker_threads");
      let count = 0;
      parentPort.on("message", (piece) => {
        if (count++ < 50) parentPort.postMessage(piece, [piece.buffer]);
        else parentPort.postMessage((globalThis.kept = piece).length);
      });`,
      { eval: true },
    );
    try {
      for (let i = 0; i < 50; i++) {
        const piece = make(200_000).fill(i);
        const back = new Promise<Uint8Array>((resolve, reject) => {
          worker.once("message", resolve);
          worker.once("error", reject);
        });
        worker.postMessage(piece, [piece.buffer as ArrayBuffer]);
        assert.is(piece.length, 0);
        const again = await within(back, `piece ${i}`);
        assert.ok(again.length === 200_000 && again.every((it) => it === i));
      }
      // It ends with one.
      const had = new Promise((resolve) => worker.once("message", resolve));
      const last = make(200_000);
      worker.postMessage(last, [last.buffer as ArrayBuffer]);
      await within(had, "the last piece");
    } finally {
      await worker.terminate();
    }
    gc();
    assert.is(make(200_000).length, 200_000);
  });

  test("frames that lie there are whole, also when kept", async () => {
    const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
    push.connect(await bound(pull));
    const kept: Uint8Array[] = [];
    const sending = (async () => {
      for (let i = 0; i < 600; i++) {
        await push.send(Buffer.alloc(100_000 + i, i));
      }
    })();
    for (let i = 0; i < 600; i++) {
      const [frame] = await within(pull.receive(), `frame ${i}`);
      assert.is(frame.length, 100_000 + i);
      if (i % 7 === 0) kept.push(frame);
    }
    await sending;
    gc();
    for (const [i, frame] of kept.entries()) {
      assert.ok(frame.every((byte) => byte === i * 7 % 256), `frame ${i * 7}`);
    }
  });
}

test.run();
