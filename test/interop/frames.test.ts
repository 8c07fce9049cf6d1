/** What arrives is what was sent: sizes where the protocol changes its form, both ways. */
import { createHash, randomBytes } from "node:crypto";
import * as assert from "uvu/assert";
import { curveKeyPair } from "zeromq-wasm";
import { within } from "../support/deadline.ts";
import {
  anywhere,
  type Mechanism,
  Ours,
  ourSecurity,
  Theirs,
  theirSecurity,
} from "../support/ends.ts";
import { checkLeaks } from "../support/leaks.ts";
import { type Digest, Peer } from "../support/peer.ts";
import { interopSuite } from "../support/python.ts";

const test = interopSuite("frames");
checkLeaks(test);

let peer: Peer;
test.before(async () => {
  peer = await Peer.start();
});

const KB = 1024, MB = 1024 * KB;

/** Sizes of the frames of a message. */
const MESSAGES: number[][] = [
  [0],
  [1],
  // From 256 bytes on a frame has a long length.
  [255],
  [256],
  // The size of libzmq's own batches, and one beyond.
  [8 * KB],
  [8 * KB + 1],
  [64 * KB + 1],
  [0, 0, 0],
  [255, 0, 256, 1, 8 * KB, 0],
  [MB],
  [MB, 1, MB],
  Array(300).fill(3),
];

const digest = (frame: Uint8Array): Digest => [
  frame.length,
  createHash("sha256").update(frame).digest("hex"),
];

const CASES: [
  transport: "tcp" | "ipc",
  mechanism: Mechanism,
  largest: number,
][] = [
  ["tcp", "NULL", 64 * MB],
  ["ipc", "NULL", 64 * MB],
  ["tcp", "CURVE", 4 * MB],
];

/** Connected sockets of both sides, closed after `use`. */
async function withDealers(
  [transport, mechanism]: typeof CASES[number],
  what: string,
  use: (ours: Ours, theirs: Theirs) => Promise<void>,
): Promise<void> {
  const keys = { server: curveKeyPair(), client: await peer.curveKeyPair() };
  const ours = new Ours("DEALER", ourSecurity(mechanism, true, keys));
  const theirs = await Theirs.create(
    peer,
    "DEALER",
    theirSecurity(mechanism, false, keys),
  );
  const run = async () => {
    await theirs.connect(await ours.bind(anywhere(transport)));
    await use(ours, theirs);
  };
  try {
    await within(run(), what, 60_000);
  } finally {
    ours.close();
    await theirs.close();
  }
}

for (const one of CASES) {
  const [transport, mechanism, largest] = one;
  const via = `${transport}, ${mechanism}`;

  for (const sizes of [...MESSAGES, [largest]]) {
    const shape = sizes.length > 10 ? `${sizes.length} frames` : `${sizes}`;
    test(`${shape} there and back, ${via}`, async () => {
      const message = sizes.map((size) => randomBytes(size));
      const digests = message.map(digest);
      await withDealers(one, `${shape}, ${via}`, async (ours, theirs) => {
        const arrived = theirs.socket.receiveDigests();
        await ours.send(message);
        assert.equal(await arrived, digests, `${via}: as the peer got it`);
        await theirs.socket.sendBack();
        const back = await ours.receive();
        assert.equal(back.map(digest), digests, `${via}: as it came back`);
      });
    });
  }

  test(`20000 small messages in order, ${via}`, async () => {
    const numbers = Array.from({ length: 20_000 }, (_, i) => `${i}`);
    await withDealers(one, `in order, ${via}`, async (ours, theirs) => {
      const arrived = theirs.socket.receiveAll(numbers.length);
      for (const n of numbers) await ours.send([n]);
      assert.equal((await arrived).map(String), numbers, `${via}: there`);
      const sent = theirs.socket.sendAll(numbers.map((n) => [n]));
      const back: string[] = [];
      while (back.length < numbers.length) back.push(`${await ours.receive()}`);
      assert.equal(back, numbers, `${via}: back`);
      await sent;
    });
  });
}

test("a frame may be changed after send has returned", async () => {
  await withDealers(CASES[0]!, "reuse", async (ours, theirs) => {
    // Long ones are lent to libzmq or copied, as it sees fit.
    for (const size of [10, 10 * KB, 2 * MB]) {
      const body = new Uint8Array(size).fill(1);
      const sum = digest(body);
      const sent = ours.send([body]);
      body.fill(2);
      await sent;
      assert.equal(
        await theirs.socket.receiveDigests(),
        [sum],
        `${size} bytes`,
      );
    }
  });
});

test.run();
