/** Frames that do something when they are asked for their bytes, or change meanwhile. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type MessageLike, Push, Router } from "zeromq-wasm";
import { Radio, Server } from "zeromq-wasm/draft";
import { pipe } from "./pipe.ts";
import {
  checkError,
  closeAll,
  next,
  rejection,
  thrown,
  use,
  within,
} from "./tools.ts";

const test = suite("meddling frames");
test.after.each(closeAll);

/** A frame that does something first. */
function asked(task: () => unknown, text = "x"): MessageLike {
  const frame = {
    toString() {
      task();
      return text;
    },
  };
  return frame as unknown as MessageLike;
}

function transfer(buffer: ArrayBuffer): void {
  structuredClone(buffer, { transfer: [buffer] });
}

/** Memory that can grow, which older types do not know. */
function growing(size: number, most: number): ArrayBuffer {
  type Growing = new (size: number, options: object) => ArrayBuffer;
  return new (ArrayBuffer as Growing)(size, { maxByteLength: most });
}

const grow = (buffer: ArrayBuffer, size: number): void =>
  (buffer as unknown as { resize(size: number): void }).resize(size);

const LARGE = new Uint8Array(70_000);

for (const ends of [true, false]) {
  const what = ends ? "closed and gone" : "closed";
  const WAYS: Record<string, (last: MessageLike) => MessageLike[]> = {
    "one frame": (last) => [last],
    "frames": (last) => ["a", last],
    "large frames": (last) => [LARGE, last, LARGE],
  };
  for (const [way, framesWith] of Object.entries(WAYS)) {
    test(`a socket that a frame closes sends nothing: ${way}, ${what}`, async () => {
      const { context, push, pull } = await pipe();
      const other = use(new Push({ context }));
      const closes = asked(() => {
        push.close();
        if (!ends) return;
        // With this libzmq gets to see it.
        other.bindSync("inproc://other");
        other.unbindSync("inproc://other");
      });
      const frames = framesWith(closes);
      checkError(await rejection(push.send(frames)), "EBADF");
      assert.is(context.resources.bodies, 0);
      other.connect(pull.lastEndpoint!);
      await other.send("after");
      assert.equal(await next(pull), ["after"]);
    });
  }
}

test("a socket that one of many messages closes sends no more", async () => {
  const { push } = await pipe();
  checkError(
    await rejection(push.sendMany(["a", asked(() => push.close()), "b"])),
    "EBADF",
  );
  const second = await pipe();
  const signal = new AbortController().signal;
  Object.defineProperty(signal, "aborted", {
    get() {
      second.push.close();
      return false;
    },
  });
  checkError(
    await rejection(second.push.sendMany(["a", "b"], { signal })),
    "EBADF",
  );
});

test("a socket that its group or routing id closes sends nothing", async () => {
  const radio = use(new Radio()), server = use(new Server());
  let reads = 0;
  checkError(
    await rejection(radio.send("x", {
      get group() {
        if (++reads > 1) radio.close();
        return "group";
      },
    })),
    "EBADF",
  );
  reads = 0;
  checkError(
    await rejection(server.send("x", {
      get routingId() {
        if (++reads > 1) server.close();
        return 1;
      },
    })),
    "EBADF",
  );
});

test("a socket that the value of an option closes has none set", () => {
  class Closes extends Uint16Array {
    override get buffer(): ArrayBuffer {
      router.close();
      return new ArrayBuffer(this.byteLength);
    }
  }
  const router = use(new Router());
  checkError(
    thrown(() => router.routingId = new Closes([65]) as unknown as Uint8Array),
    "EBADF",
  );
});

test("frames that send others first come after them", async () => {
  const { context, push, pull } = await pipe();
  const sent: Promise<void>[] = [];
  const first = (...frames: MessageLike[]) =>
    asked(() => sent.push(push.send(frames)), "outer");
  await push.send(first("inner"));
  await push.send(["a", first("b", "c"), "d"]);
  await push.send([LARGE, first(LARGE, "e"), LARGE]);
  await push.sendMany(["f", first("g"), "h"]);
  await Promise.all(sent);
  const messages: string[][] = [];
  while (messages.length < 10 && pull.readable) {
    const frames = await within(pull.receive(), "a message");
    messages.push(
      frames.map((frame) => frame.length > 9 ? "large" : String(frame)),
    );
  }
  assert.equal(messages, [
    ["inner"],
    ["outer"],
    ["b", "c"],
    ["a", "outer", "d"],
    ["large", "e"],
    ["large", "outer", "large"],
    // Of many, those that are small wait for the others.
    ["g"],
    ["f"],
    ["outer"],
    ["h"],
  ]);
  assert.is(context.resources.bodies, 0);
});

test("a large frame is asked once", async () => {
  const { push, pull } = await pipe();
  let times = 0;
  await push.send(asked(() => times++, "x".repeat(5000)));
  assert.is((await within(pull.receive(), "it"))[0]!.length, 5000);
  assert.is(times, 1);
});

test("a frame that a later one transfers away is empty, and nothing leaks", async () => {
  const { context, push, pull } = await pipe();
  const heap = async () => {
    await push.send("x");
    await next(pull);
    return context.resources.heap;
  };
  const before = await heap();
  for (const size of [8, 5000, 70_000]) {
    for (let i = 0; i < 20; i++) {
      const { buffer } = new Uint8Array(size);
      const late = asked(() => transfer(buffer));
      await push.send([LARGE, new Uint8Array(buffer), LARGE, late]);
      const sizes = (await within(pull.receive(), "it")).map((it) => it.length);
      assert.equal(sizes, [70_000, 0, 70_000, 1], String(size));
    }
  }
  assert.is(context.resources.bodies, 0);
  // What libzmq keeps for messages to come is less than one of 5000 bytes.
  assert.ok(await heap() < before + 4096);
});

test("of many, frames that change meanwhile are sent as they are then", async () => {
  const { push, pull } = await pipe();
  for (const size of [1000, 4097, 200_000]) {
    const buffers = Array.from({ length: 20 }, () => growing(8, size));
    const frames: MessageLike[] = buffers.map((buffer) =>
      new Uint8Array(buffer)
    );
    const gone = new Uint8Array(8);
    frames.push(gone);
    frames.push(asked(() => {
      for (const buffer of buffers) {
        grow(buffer, size);
        new Uint8Array(buffer).fill(65);
      }
      transfer(gone.buffer);
    }));
    await push.sendMany(frames);
    for (let i = 0; i < 20; i++) {
      const [frame] = await within(pull.receive(), `frame ${i}`);
      assert.is(frame!.length, size);
      assert.ok(frame!.every((byte) => byte === 65), `frame ${i}`);
    }
    assert.equal(await next(pull), [""]);
    assert.equal(await next(pull), ["x"]);
  }
});

test("an array with a length of its own sends the bytes it has", async () => {
  const { push, pull } = await pipe();
  for (const size of [0, 1, 5000, 40_000]) {
    for (const says of [0, 1, 4096, 100_000]) {
      for (
        const make of [Buffer.alloc, (size: number) => new Uint8Array(size)]
      ) {
        const liar = make(size).fill(65);
        Object.defineProperty(liar, "length", { value: says });
        const check = (frame: Uint8Array | undefined) => {
          assert.is(frame!.length, size, `${size} said to be ${says}`);
          assert.ok(frame!.every((byte) => byte === 65));
        };
        await push.send(liar);
        check((await within(pull.receive(), "one frame"))[0]);
        await push.send(["x", liar]);
        check((await within(pull.receive(), "two frames"))[1]);
        await push.sendMany([liar, liar]);
        for (let i = 0; i < 2; i++) {
          check((await within(pull.receive(), "one of many"))[0]);
        }
        if (size !== 1) continue;
        const router = use(new Router());
        router.routingId = liar;
        assert.is(router.routingId, "A");
      }
    }
  }
});

test.run();
