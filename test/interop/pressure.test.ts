/** Back-pressure across the wire: a side that does not read stops the other. */
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import { pendingFor, within } from "../support/deadline.ts";
import { anywhere } from "../support/ends.ts";
import { checkLeaks } from "../support/leaks.ts";
import { Peer } from "../support/peer.ts";
import { interopSuite } from "../support/python.ts";

const test = interopSuite("back-pressure");
checkLeaks(test);

let peer: Peer;
test.before(async () => {
  peer = await Peer.start();
});

const BODY = 64 * 1024;
/** Far more than both queues and all buffers of the system take. */
const LIMIT = 1000;
/** Nothing has gone for so long: it has stopped. */
const QUIET_MS = 500;
/** Of ours: the queue, what libzmq's encoder and the runtime hold; in bytes. */
const MEMORY = 4 * 1024 * 1024;

for (const transport of ["tcp", "ipc"] as const) {
  test(`a pyzmq PULL that does not read stops our PUSH, ${transport}`, async () => {
    const what = `our PUSH, ${transport}`;
    const ours = new Push({ linger: 0, sendHighWaterMark: 10 });
    const theirs = await peer.socket("PULL", { RCVHWM: 10 });
    await theirs.connect(await bound(ours, transport));
    const { heap } = ours.context.resources;
    const body = new Uint8Array(BODY);
    let sent = 0;
    let last = ours.send(body);
    while (!await pendingFor(last, QUIET_MS)) {
      assert.ok(++sent < LIMIT, `${what}: never stopped`);
      last = ours.send(body);
    }
    assert.ok(sent >= 10, `${what}: stopped before its high water mark`);
    const grown = ours.context.resources.heap - heap;
    assert.ok(grown < MEMORY, `${what}: ${grown} bytes more in the module`);
    // Whatever was taken arrives, the pending one too.
    const messages = theirs.receiveCount(sent + 1);
    await within(last, `${what}: goes on`);
    assert.is(await messages, sent + 1, what);
    ours.close();
    await theirs.close();
  });

  test(`our PULL that nobody reads stops a pyzmq PUSH, ${transport}`, async () => {
    const what = `our PULL, ${transport}`;
    const ours = new Pull({ linger: 0, receiveHighWaterMark: 10 });
    const theirs = await peer.socket("PUSH", { SNDHWM: 10 });
    await theirs.connect(await bound(ours, transport));
    const { heap } = ours.context.resources;
    const sent = await theirs.flood(BODY, LIMIT, QUIET_MS);
    assert.ok(sent < LIMIT, `${what}: never stopped the peer`);
    assert.ok(sent >= 10, `${what}: stopped before the high water marks`);
    const grown = ours.context.resources.heap - heap;
    assert.ok(grown < MEMORY, `${what}: ${grown} bytes more in the module`);
    for (let i = 0; i < sent; i++) {
      const [body] = await within(ours.receive(), `${what}: ${i} of ${sent}`);
      assert.is(body!.length, BODY, what);
    }
    // And it flows again.
    const more = theirs.flood(BODY, 100, 5000);
    for (let i = 0; i < 100; i++) {
      await within(ours.receive(), `${what}: again`);
    }
    assert.is(await more, 100, what);
    ours.close();
    await theirs.close();
  });
}

async function bound(
  socket: Push | Pull,
  transport: "tcp" | "ipc",
): Promise<string> {
  await socket.bind(anywhere(transport));
  return socket.lastEndpoint!;
}

test("sendTimeout ends a send that waits for a peer", async () => {
  const ours = new Push({ linger: 0, sendTimeout: 100 });
  const theirs = await peer.socket("PULL");
  await ours.bind(anywhere("tcp"));
  const error = await within(
    ours.send("nobody there").then(() => undefined, (error) => error),
    "sendTimeout",
  );
  assert.is(error?.code, "EAGAIN");
  await theirs.connect(ours.lastEndpoint!);
  // The message that timed out was not sent.
  ours.sendTimeout = -1;
  await within(ours.send("somebody there"), "send to a peer");
  assert.is(String(await theirs.receive()), "somebody there");
  ours.close();
  await theirs.close();
});

test.run();
