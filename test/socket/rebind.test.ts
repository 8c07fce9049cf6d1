/** An address can be bound again as soon as the socket that had it is closed. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pull, Push } from "zeromq-wasm";
import { within } from "../support/deadline.ts";

const test = suite("binding again");

test("a closed listener does not take the next one's file away", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zmq-"));
  const address = `ipc://${join(folder, "socket")}`;
  using first = new Push();
  using second = new Push();
  using peer = new Pull();
  await first.bind(address);
  first.close();
  await second.bind(address);
  peer.connect(address);
  await within(second.send("hello"), "send");
  const [frame] = await within(peer.receive(), "receive");
  assert.is(String(frame), "hello");
  rmSync(folder, { recursive: true, force: true });
});

test("an inproc name is free as soon as its socket is closed", async () => {
  for (let i = 0; i < 5; i++) {
    const first = new Push();
    using second = new Push(), third = new Push();
    const address = `inproc://again-${i}`;
    await first.bind(address);
    first.close();
    await second.bind(address);
    const taken = await third.bind(address).catch((error) => error);
    assert.is(taken.code, "EADDRINUSE");
    second.close();
    third.bindSync(address);
  }
});

test.run();
