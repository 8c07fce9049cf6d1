/**
 * Many large messages of one size are read before their heads are known: whatever comes instead
 * of what was expected arrives as it was sent.
 */
import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { Pull } from "zeromq-wasm";
import { pause, within } from "../support/deadline.ts";
import { anywhere } from "../support/ends.ts";
import { checkLeaks } from "../support/leaks.ts";
import { Peer } from "../support/peer.ts";
import { interopSuite } from "../support/python.ts";
import { Random } from "../support/random.ts";

const test = interopSuite("large messages of one size, and others");
checkLeaks(test);

let peer: Peer;
test.before(async () => {
  peer = await Peer.start();
});

const KB = 1024;
const many = (count: number, ...frames: number[]) =>
  Array.from({ length: count }, () => frames);
const random = new Random(7);

const SHOWERS: Record<string, number[][]> = {
  "one size": many(200, 64 * KB),
  "two sizes in turn": many(60, 64 * KB).flatMap((it) => [it, [40 * KB]]),
  "one size, then a little less, then more": [
    ...many(40, 64 * KB),
    ...many(40, 64 * KB - 1),
    ...many(40, 64 * KB + 1),
  ],
  "small ones after large ones": many(20, 50_000).flatMap((it) => [
    ...Array(7).fill(it),
    [3],
    ...Array(20).fill([200]),
  ]),
  "small frames before large ones": many(100, 5, 64 * KB),
  "large frames of one message": many(30, 40 * KB, 40 * KB, 1, 40 * KB, 0),
  "up to the largest that is expected, and over it": [
    ...many(20, 128 * KB),
    ...many(20, 128 * KB + 1),
    ...many(20, 32 * KB),
    ...many(20, 32 * KB - 1),
  ],
  "any sizes": Array.from(
    { length: 150 },
    () => [random.below(150 * KB)],
  ),
};

for (const transport of ["tcp", "ipc"] as const) {
  for (const [name, sizes] of Object.entries(SHOWERS)) {
    for (const stops of [false, true]) {
      const what = `${name}, ${transport}${stops ? ", read slowly" : ""}`;
      test(what, async () => {
        const ours = new Pull({
          linger: 0,
          receiveHighWaterMark: stops ? 2 : 1000,
        });
        await ours.bind(anywhere(transport));
        const theirs = await peer.socket("PUSH");
        await theirs.connect(ours.lastEndpoint!);
        const sent = theirs.shower(sizes);
        const got: Uint8Array[][] = [];
        while (got.length < sizes.length) {
          if (stops && got.length % 16 === 9) await pause(1);
          got.push(await within(ours.receive(), `${what}: ${got.length}`));
        }
        assert.equal(
          got.map((frames) => frames.map((frame) => frame.length)),
          sizes,
        );
        // Only now: whatever is written to their memory later would be seen.
        assert.equal(
          got.map((frames) =>
            frames.map((frame) =>
              createHash("sha256").update(frame).digest("hex")
            )
          ),
          await sent,
        );
        ours.close();
        await theirs.close();
      });
    }
  }
}

test.run();
