/** Frames that are not what they seem: transferred away, filled again, of another realm. */
import { runInNewContext } from "node:vm";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { MessageLike } from "zeromq-wasm";
import { pipe } from "./pipe.ts";
import { closeAll, isBun, isDeno, next, runProgram, within } from "./tools.ts";

const test = suite("strange frames");
test.after.each(closeAll);

const GONE: [string, () => ArrayBufferView | ArrayBuffer][] = [
  ["an ArrayBuffer", () => new ArrayBuffer(8)],
  ["a large ArrayBuffer", () => new ArrayBuffer(70_000)],
  ["a Uint8Array", () => new Uint8Array(8)],
  ["a large Uint8Array", () => new Uint8Array(70_000)],
  ["a Buffer", () => Buffer.from(new ArrayBuffer(8))],
  ["an Int16Array", () => new Int16Array(4)],
];

for (const [what, make] of GONE) {
  test(`${what} that was transferred away is sent as an empty frame`, async () => {
    const { context, push, pull } = await pipe();
    const frame = make();
    const memory = ArrayBuffer.isView(frame) ? frame.buffer : frame;
    structuredClone(memory, { transfer: [memory as ArrayBuffer] });
    assert.is(memory.byteLength, 0);
    const large = new Uint8Array(70_000).fill(1);
    const sizes = async () =>
      (await within(pull.receive(), what)).map(({ length }) => length);
    await push.send(frame);
    assert.equal(await sizes(), [0]);
    await push.send([frame, "x", large, frame]);
    assert.equal(await sizes(), [0, 1, 70_000, 0]);
    await push.send([large, frame, "x"]);
    assert.equal(await sizes(), [70_000, 0, 1]);
    await push.sendMany(["a", frame, [frame, "b"], frame]);
    for (const expected of [[1], [0], [0, 1], [0]]) {
      assert.equal(await sizes(), expected);
    }
    assert.is(context.resources.bodies, 0);
  });
}

test("one buffer that a generator fills again and again is sent as it was each time", async () => {
  const kinds: [string, () => Uint8Array][] = [
    ["a Buffer", () => Buffer.alloc(8)],
    ["a Uint8Array", () => new Uint8Array(8)],
    ["a part of a Buffer", () => Buffer.alloc(20).subarray(4, 12)],
    ["a large Buffer", () => Buffer.alloc(70_000)],
  ];
  const { push, pull } = await pipe();
  for (const [what, make] of kinds) {
    const one = make();
    await push.sendMany((function* () {
      for (let i = 0; i < 5; i++) yield one.fill(i);
    })());
    for (let i = 0; i < 5; i++) {
      const [frame] = await within(pull.receive(), what);
      assert.ok(frame!.every((byte) => byte === i), `${what}, ${i}`);
    }
  }
});

test("a class that says another length sends the bytes it has", async () => {
  let says = 0;
  class Liar extends Uint8Array {
    override get length(): number {
      return says;
    }
  }
  const { push, pull } = await pipe();
  for (const size of [1, 100, 5000, 70_000]) {
    for (says of [0, size - 1, size + 100, 70_000]) {
      const liar = new Liar(new ArrayBuffer(size));
      new Uint8Array(liar.buffer).fill(65);
      const check = (frame: Uint8Array) => {
        assert.is(frame.length, size, `${size} said to be ${says}`);
        assert.ok(frame.every((byte) => byte === 65));
      };
      await push.send(liar);
      check((await within(pull.receive(), "one frame"))[0]!);
      await push.send(["x", liar]);
      check((await within(pull.receive(), "two frames"))[1]!);
      await push.sendMany([liar, liar]);
      for (let i = 0; i < 2; i++) {
        check((await within(pull.receive(), "one of many"))[0]!);
      }
    }
  }
});

const nodeTest = isBun || isDeno ? test.skip : test;
nodeTest("memory of another realm arrives as its bytes", async () => {
  const { push, pull } = await pipe();
  for (
    const code of [
      "new Uint8Array([65, 66]).buffer",
      "new Uint8Array([65, 66])",
      "new DataView(new Uint8Array([65, 66]).buffer)",
      `{
        const shared = new SharedArrayBuffer(2);
        new Uint8Array(shared).set([65, 66]);
        shared
      }`,
    ]
  ) {
    const frame = runInNewContext(code) as MessageLike;
    await push.send(frame);
    assert.equal(await next(pull), ["AB"], code);
    await push.send(["x", frame]);
    assert.equal(await next(pull), ["x", "AB"], code);
  }
});

test("where a page may not share memory, numbers and buffers can be sent", async () => {
  const { out, err } = await runProgram(`
    delete globalThis.SharedArrayBuffer;
    const a = new z.Push(), b = new z.Pull();
    await b.bind("inproc://x");
    a.connect("inproc://x");
    await a.send([5, null, "text", new ArrayBuffer(3), new Uint8Array(4)]);
    console.log((await b.receive()).map(({ length }) => length).join());
    a.close();
    b.close();`);
  assert.is(out, "1,0,4,3,4\n", err);
});

test.run();
