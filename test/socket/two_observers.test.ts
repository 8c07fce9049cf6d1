/** Several observers of one socket, one after the other. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Dealer, Observer } from "zeromq-wasm";
import { bound, closeAll, stays, use, within } from "./tools.ts";

const test = suite("two observers");
test.after.each(closeAll);

test("to close the first is not the end of the one that took its place", async () => {
  for (const waits of [true, false]) {
    const socket = use(new Dealer());
    const first = new Observer(socket);
    // Amid a receive it has not read of its end yet.
    const receiving = waits ? first.receive().catch(() => {}) : undefined;
    const second = new Observer(socket);
    first.close();
    assert.is(first.closed, true);
    await receiving;
    const address = await bound(socket);
    assert.is(second.closed, false);
    const bind = await within(second.receive(), "the bind");
    assert.equal(bind, { type: "bind", address } as typeof bind);
    const more = second.receive();
    assert.ok(await stays(more, 10));
    socket.close();
    assert.is((await within(more, "an event")).type, "close");
    second.close();
  }
});

test("to close the second is its own end only", async () => {
  const socket = use(new Dealer());
  new Observer(socket);
  const second = new Observer(socket);
  second.close();
  const third = new Observer(socket);
  const address = await bound(socket);
  second.close();
  const bind = await within(third.receive(), "the bind");
  assert.equal(bind, { type: "bind", address } as typeof bind);
  third.close();
});

test.run();
