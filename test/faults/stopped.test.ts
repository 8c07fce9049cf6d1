/** A peer that has stopped reading, with megabytes on their way to it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pull } from "zeromq-wasm";
import {
  bound,
  closeAll,
  runProgram,
  until,
  use,
  within,
} from "../socket/tools.ts";

const test = suite("stopped");
test.after.each(closeAll);

const BYTES = 4 * 2 ** 20;
/** What a host gave a closed connection before: thrice as much. */
const MOST_MS = 10_000;

/** A socket that takes no more than one message until it is asked. */
async function idle(): Promise<[Pull, string]> {
  const pull = use(
    new Pull({ context: new Context(), receiveHighWaterMark: 1 }),
  );
  return [pull, JSON.stringify(await bound(pull))];
}

for (const linger of [0, 400]) {
  test(`with a linger of ${linger} ms a program ends soon`, async () => {
    const [, address] = await idle();
    const { code, signal, err, took } = await runProgram(`
      const push = new z.Push({ linger: ${linger}, sendHighWaterMark: 1, sendTimeout: 200 });
      push.connect(${address});
      const full = new Uint8Array(${BYTES});
      await push.send(full).catch(() => {});
      try { for (;;) await push.send(full); } catch {}
      push.close();
      console.log("closed");`);
    // Deno and Node may say that they wait.
    assert.equal([code, signal], [0, null], err);
    assert.ok(took < MOST_MS, `${took} ms`);
  });
}

test("without a linger a peer that reads later gets everything", async () => {
  const [pull, address] = await idle();
  let closed = false;
  const ended = runProgram(
    `
    const push = new z.Push({ linger: -1 });
    push.connect(${address});
    for (let i = 0; i < 5; i++) await push.send(new Uint8Array(${BYTES}).fill(i));
    push.close();
    console.log("closed");`,
    { started: () => closed = true },
  );
  await until(() => closed, "the end of the socket");
  for (let i = 0; i < 5; i++) {
    const [bytes] = await within(pull.receive(), `message ${i}`);
    assert.is(bytes!.length, BYTES);
    assert.ok(bytes!.every((byte) => byte === i), `message ${i}`);
  }
  const { code, err } = await ended;
  assert.is(code, 0, err);
});

test.run();
