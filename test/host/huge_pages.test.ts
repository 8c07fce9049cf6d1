/** The memory of the largest frames is in huge pages, where the runtime can ask for them. */
import { existsSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import { libraryCalls } from "../../ts/host/bun_calls.ts";
import { adviseHuge, LEAST_HUGE } from "../../ts/host/huge_pages.ts";
import { bound, closeAll, use, within } from "../socket/tools.ts";
import { callsC } from "./c_library.ts";

const test = suite("huge pages");
test.after.each(closeAll);

test("they are asked for within a piece of memory, and for most of it", () => {
  for (const at of [0, 1, 65535, 65536, 2 ** 40 + 16, 2 ** 46 + 5000]) {
    for (const size of [LEAST_HUGE, LEAST_HUGE + 1, 16_000_000]) {
      let asked = 0;
      adviseHuge(at, size, {
        madvise(start, length, advice) {
          asked++;
          assert.is(advice, 14);
          assert.is(start % 65536, 0);
          assert.is(length % 65536, 0);
          assert.ok(start >= at && start + length <= at + size);
          assert.ok(length > size - 2 * 65536);
          return 0;
        },
      });
      assert.is(asked, 1);
    }
  }
});

if (existsSync("/sys/kernel/mm/transparent_hugepage/enabled")) {
  test("frames of 8 MB are asked for", async () => {
    const speaks = callsC || libraryCalls() !== undefined;
    const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
    push.connect(await bound(pull));
    const body = new Uint8Array(2 ** 23).fill(7);
    const sending = (async () => {
      for (let i = 0; i < 5; i++) await push.send(body);
    })();
    const kept: Uint8Array[] = [];
    for (let i = 0; i < 5; i++) {
      const [frame] = await within(pull.receive(), `frame ${i}`);
      assert.is(frame.length, body.length);
      assert.is(frame.at(-1), 7);
      kept.push(frame);
    }
    await sending;
    const asks = /^VmFlags:.* hg\b/m.test(
      readFileSync("/proc/self/smaps", "latin1"),
    );
    assert.is(asks, speaks, `${kept.length} frames`);
  });
}

test.run();
