/** What can be sent as a frame, and whose memory it is. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Dealer,
  type MessageLike,
  Pair,
  Publisher,
  Pull,
  Push,
  Router,
} from "zeromq-wasm";
import {
  anywhere,
  bound,
  closeAll,
  isBun,
  isDeno,
  next,
  rejection,
  runProgram,
  stays,
  texts,
  thrown,
  type Transport,
  TRANSPORTS,
  use,
  within,
} from "./tools.ts";

const test = suite("message");
test.after.each(closeAll);

/** The pool that the runtime has for small buffers, if it has: `Buffer.poolSize`, or 64 more. */
const POOL_BYTES = Buffer.allocUnsafe(8).buffer.byteLength;
const bytes = Uint8Array.from([0, 1, 2, 3, 250, 251, 252, 253, 254, 255, 9, 8]);
const shared = () => {
  const memory = new SharedArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  return memory;
};
const at = (from: number, to: number) => Array.from(bytes.subarray(from, to));
const code = (text: string) => Array.from(new TextEncoder().encode(text));

/** What is sent, and the bytes that arrive. */
const FRAMES: [string, MessageLike, number[]][] = [
  ["a string", "häß ✓ 𝄞\0end", code("häß ✓ 𝄞\0end")],
  ["an empty string", "", []],
  ["a lone surrogate", "\ud800", code("\ufffd")],
  ["null", null, []],
  ["a number", -1.5, code("-1.5")],
  ["zero", 0, code("0")],
  ["NaN", NaN, code("NaN")],
  ["a Uint8Array", bytes, at(0, 12)],
  ["an empty Uint8Array", new Uint8Array(0), []],
  ["a part of a Uint8Array", bytes.subarray(3, 7), at(3, 7)],
  [
    "an Int16Array with an offset",
    new Int16Array(bytes.buffer, 2, 3),
    at(2, 8),
  ],
  ["a Float32Array", new Float32Array(bytes.buffer, 4, 2), at(4, 12)],
  ["a BigInt64Array", new BigInt64Array(bytes.buffer, 0, 1), at(0, 8)],
  ["a DataView with an offset", new DataView(bytes.buffer, 5, 4), at(5, 9)],
  ["an ArrayBuffer", bytes.buffer, at(0, 12)],
  ["a SharedArrayBuffer", shared(), at(0, 12)],
  ["a view of shared memory", new Uint8Array(shared(), 1, 5), at(1, 6)],
];

async function pushPull(transport: Transport) {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  push.connect(await bound(pull, transport));
  return [push, pull] as const;
}

for (const transport of TRANSPORTS) {
  test(`every kind of frame arrives as its bytes over ${transport}`, async () => {
    const [push, pull] = await pushPull(transport);
    for (const [name, frame, expected] of FRAMES) {
      await push.send(frame);
      const message = await within(pull.receive(), name);
      assert.equal(message.map((it) => Array.from(it)), [expected], name);
    }
    await push.send(FRAMES.map(([, frame]) => frame));
    const message = await within(pull.receive(), "all of them");
    assert.equal(
      message.map((it) => Array.from(it)),
      FRAMES.map(([, , expected]) => expected),
    );
  });
}

test("frames of any size arrive, alone and together", async () => {
  const sizes = [1, 2, 3, 28, 29, 33, 255, 256, 4095, 4096, 4097, 8191, 8192];
  sizes.push(88, 95, 96, 97, 2040, 2047, 2048, 2049, 2056);
  sizes.push(65523, 65535, 65536, 65537, 131073, 1 << 20, 5_000_001);
  const frames = sizes.map((size) =>
    Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 255)
  );
  for (const transport of TRANSPORTS) {
    const [push, pull] = await pushPull(transport);
    const check = (got: Uint8Array, i: number) => {
      const equal = got.length === sizes[i] &&
        got.every((byte, j) => byte === frames[i]![j]);
      assert.ok(equal, `${sizes[i]} bytes over ${transport}`);
    };
    for (const [i, frame] of frames.entries()) {
      await push.send(frame);
      check((await within(pull.receive(), `${sizes[i]} bytes`))[0]!, i);
    }
    await push.send(frames);
    (await within(pull.receive(), "all of them")).forEach(check);
  }
});

test("a message of very many frames arrives", async () => {
  const [push, pull] = await pushPull("tcp");
  for (const count of [4096, 16383, 16385, 40_000]) {
    const frames = Array.from({ length: count }, (_, i) => i);
    await push.send(frames);
    const message = await next(pull, `${count} frames`);
    assert.is(message.length, count);
    assert.is(message.every((text, i) => text === String(i)), true);
  }
});

test("received frames are Buffers that nobody else writes to", async () => {
  const [push, pull] = await pushPull("tcp");
  await push.send(["first", "second"]);
  const kept = await within(pull.receive(), "a message");
  assert.ok(kept.every((frame) => frame instanceof Uint8Array));
  assert.is(String(kept[0]), "first");
  kept[0]!.fill(0x78);
  assert.is(String(kept[1]), "second");
  for (let i = 0; i < 500; i++) await push.send(`later ${i}`);
  for (let i = 0; i < 500; i++) await next(pull);
  assert.equal(texts(kept), ["xxxxx", "second"]);
});

test("a frame that is kept keeps no more than itself or the runtime's pool", async () => {
  const [push, pull] = await pushPull("tcp");
  for (const size of [97, 1000, 2048, 2049, 4096, 4097, 60_000]) {
    await push.send(new Uint8Array(size));
    const [frame] = await within(pull.receive(), `${size} bytes`);
    const most = size <= 2048 ? Math.max(POOL_BYTES, size) : size;
    assert.ok(frame!.buffer.byteLength <= most, `${size} bytes`);
  }
});

test("where a runtime has no Buffer, frames are Uint8Arrays", async () => {
  const { out, err } = await runProgram(`
    const url = import.meta.resolve("zeromq-wasm");
    // Another copy, which begins without it.
    delete globalThis.Buffer;
    const { Pair } = await import(url + "?copy");
    const a = new Pair(), b = new Pair({ linger: 0 });
    await a.bind("tcp://127.0.0.1:*");
    b.connect(a.lastEndpoint);
    await b.send(["text", new Uint8Array(9999)]);
    for (const frame of await a.receive()) {
      console.log(Object.prototype.toString.call(frame), frame.length,
        frame.constructor === Uint8Array);
    }
    b.close();
    a.close();
  `);
  assert.is(
    out,
    "[object Uint8Array] 4 true\n[object Uint8Array] 9999 true\n",
    err,
  );
});

test("send([]) resolves and sends nothing", async () => {
  const [push, pull] = await pushPull("tcp");
  await within(push.send([]), "send([])");
  assert.ok(await stays(pull.receive()));
  // Also where a send would have to wait.
  await within(use(new Push()).send([]), "send([])");
});

test("what is no message is refused before anything is sent", async () => {
  const [push, pull] = await pushPull("tcp");
  const send = (...frames: unknown[]) =>
    (push.send as (...frames: unknown[]) => Promise<void>)(...frames);
  assert.match(thrown(() => send()).message, /Message must be present/);
  assert.match(
    thrown(() => send(undefined)).message,
    /Message must be present/,
  );
  assert.instance(thrown(() => send(["x", Symbol("s")])), TypeError);
  assert.instance(thrown(() => send(Symbol("s"))), TypeError);
  await push.send("good");
  assert.equal(await next(pull), ["good"]);
});

// --- whose memory it is

const SHAPES: [string, (frame: Uint8Array) => MessageLike[]][] = [
  ["one small frame", (frame) => [frame.subarray(0, 100)]],
  ["one large frame", (frame) => [frame]],
  ["many frames", (frame) => ["head", frame.subarray(0, 100), frame]],
];

for (const transport of TRANSPORTS) {
  for (const [name, shape] of SHAPES) {
    test(`${name} can be overwritten after send, over ${transport}`, async () => {
      const [push, pull] = await pushPull(transport);
      const frame = new Uint8Array(300_000).fill(1);
      const sent = push.send(shape(frame));
      frame.fill(2);
      await sent;
      const message = await within(pull.receive(), "the message");
      const last = message.at(-1)!;
      assert.ok(last.length > 0 && last.every((byte) => byte === 1));
    });

    test(`${name} can be overwritten while send waits, over ${transport}`, async () => {
      const push = use(new Push({ linger: 0, sendHighWaterMark: 1 }));
      const address = anywhere(transport === "tcp" ? "ipc" : transport);
      const frame = new Uint8Array(300_000).fill(1);
      // Nobody is there yet.
      const sent = push.send(shape(frame));
      frame.fill(2);
      assert.ok(await stays(sent, 10));
      const pull = use(new Pull());
      if (transport === "tcp") push.connect(await bound(pull, "tcp"));
      else {
        await pull.bind(address);
        push.connect(address);
      }
      await within(sent, "the send");
      const message = await within(pull.receive(), "the message");
      assert.equal(message.length, shape(frame).length);
      assert.ok(message.at(-1)!.every((byte) => byte === 1));
    });
  }
}

/** So long are the frames before numbers that are looked at where they are. */
const HEADS = [[], [0], [1], [2, 3], [5, 300, 4097], [7, 8, 9, 10], [40_001]];
/** And so many numbers of 8 bytes: alone, with others in a batch, too large for one, huge. */
const COUNTS = [1, 2, 5, 12, 13, 100, 511, 513, 4095, 5000, 9001, 40_000];

for (const transport of TRANSPORTS) {
  test(`numbers of 8 bytes can be read where they arrive over ${transport}`, async () => {
    const [push, pull] = await pushPull(transport);
    const messages = HEADS.flatMap((heads) =>
      COUNTS.map((count) => [
        ...heads.map((size) => new Uint8Array(size)),
        Float64Array.from({ length: count }, (_, i) => i + 0.5),
      ])
    );
    const check = (message: Uint8Array[], expected: ArrayBufferView[]) => {
      const { buffer, byteOffset, length } = message.at(-1)!;
      const lengths = `after frames of ${expected.map((it) => it.byteLength)}`;
      assert.is(byteOffset % 8, 0, `offset ${byteOffset} ${lengths}`);
      const numbers = new Float64Array(buffer, byteOffset, length / 8);
      assert.equal(
        Array.from(numbers),
        Array.from(expected.at(-1) as Float64Array),
      );
    };
    for (const message of messages) {
      await push.send(message);
      Buffer.allocUnsafe(5); // so that the runtime's pool goes on anywhere
      check(await within(pull.receive(), "one message"), message);
    }
    const sent = push.sendMany(messages);
    for (const message of messages) {
      check(await within(pull.receive(), "one of many"), message);
    }
    await within(sent, "all sends");
  });
}

test("who keeps a small frame keeps little with it", async () => {
  const push = use(new Push({ linger: 0, sendHighWaterMark: 0 }));
  const pull = use(new Pull({ receiveHighWaterMark: 0 }));
  push.connect(await bound(pull, "inproc"));
  for (const size of [0, 1, 16, 100, 300, 1000, 4000]) {
    const count = 2000;
    // All are there before the first is asked for.
    await push.sendMany(
      Array.from({ length: count }, () => new Uint8Array(size)),
    );
    const buffers = new Set<ArrayBufferLike>();
    for (let i = 0; i < count; i++) {
      const [frame] = await within(pull.receive(), "a message");
      assert.is(frame.length, size);
      const { byteLength } = frame.buffer;
      const most = Math.max(8192, POOL_BYTES, 64 * size);
      assert.ok(byteLength <= most, `${byteLength} bytes for ${size}`);
      buffers.add(frame.buffer);
    }
    // See `Host.ownBytes`.
    const shares = size > (isBun ? 1000 : isDeno ? 0 : 32);
    if (shares) {
      assert.ok(buffers.size <= count / 12, `${buffers.size} buffers`);
    } else if (!isDeno) assert.is(buffers.size, count);
  }
  // What larger frames share is not for the small ones between them.
  await push.sendMany(
    Array.from(
      { length: 100 },
      () => [new Uint8Array(40), new Uint8Array(4000)],
    ),
  );
  for (let i = 0; i < 100; i++) {
    const [small, large] = await within(pull.receive(), "two frames");
    assert.is(large!.length, 4000);
    const { byteLength } = small!.buffer;
    assert.ok(byteLength <= Math.max(8192, POOL_BYTES), `${byteLength} bytes`);
  }
});

test("a frame of more bytes than libzmq can have is refused", async () => {
  // Never touched, so it takes no memory.
  const huge = new Uint8Array(2 ** 31 + 100);
  for (const message of [huge, ["head", huge, "tail"]]) {
    const [push, pull] = await pushPull("tcp");
    const error = await rejection(push.send(message));
    assert.is(error.code, "ENOMEM");
    await push.send("good");
    assert.equal(await next(pull), ["good"]);
  }
});

test("a message to nobody is dropped where libzmq says so", async () => {
  const sockets = [new Publisher(), new Router()];
  for (const socket of sockets) {
    await within(use(socket).send(["nobody", "x"]), "send");
  }
  for (const socket of [new Push(), new Dealer(), new Pair()]) {
    assert.ok(await stays(use(socket).send("x"), 10));
  }
});

test.run();
