/** An event loop that is blocked for longer than heartbeats wait. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pull, Push } from "zeromq-wasm";
import { bound, closeAll, use } from "../socket/tools.ts";
import { program, Traffic, Wire } from "./tools.ts";

const test = suite("blocked");
test.after.each(closeAll);

const BLOCKED_MS = 10_000;
const HEARTBEATS = {
  heartbeatInterval: 50,
  heartbeatTimeout: 200,
  handshakeInterval: 300,
};

function block(): void {
  const end = performance.now() + BLOCKED_MS;
  while (performance.now() < end);
}

test("both sides are blocked for ten seconds", async () => {
  const pull = use(new Pull({ context: new Context(), ...HEARTBEATS }));
  const options = { linger: 0, reconnectInterval: 10, ...HEARTBEATS };
  const push = use(new Push({ context: new Context(), ...options }));
  const wire = await Wire.to(await bound(pull));
  push.connect(wire.endpoint);
  const traffic = new Traffic(push, pull);
  await traffic.flows("at first");
  block();
  await traffic.flows("after the block");
  await traffic.stop();
  assert.ok(wire.connections < 5, `${wire.connections} connections`);
});

test("one side is blocked for ten seconds, and the other finds out", async () => {
  const pull = use(new Pull({ context: new Context(), ...HEARTBEATS }));
  const endpoint = await bound(pull);
  const child = program(`
    const push = new z.Push({ linger: 0, reconnectInterval: 10,
      ...${JSON.stringify(HEARTBEATS)} });
    push.events.on("disconnect", () => console.log("disconnected;"));
    push.connect(${JSON.stringify(endpoint)});
    for (let n = 0;; n++) {
      await push.send([String(n), new Uint8Array(n * 37 % 3000).fill(n % 251)]);
      if (n % 20 === 0) await new Promise((done) => setTimeout(done, 1));
    }`);
  const traffic = new Traffic(
    { closed: true, send: () => Promise.resolve() },
    pull,
  );
  await traffic.comes(100);
  block();
  await child.said(/disconnected;/);
  await traffic.comes(200);
});

test.run();
