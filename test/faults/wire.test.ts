/** The network and the clock fail; afterwards messages flow again, each once, in order, whole. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, defaultHost, type Host, Pull, Push } from "zeromq-wasm";
import { bound, closeAll, until, use } from "../socket/tools.ts";
import { Traffic, Wire } from "./tools.ts";

const test = suite("wire");
test.after.each(closeAll);

const QUICK = { linger: 0, reconnectInterval: 10 };
const HEARTBEATS = {
  heartbeatInterval: 50,
  heartbeatTimeout: 200,
  // An attempt that the wire swallows is over soon, too.
  handshakeInterval: 300,
};

async function pair(options: object = {}, context = new Context()) {
  const pull = use(new Pull({ context, ...options }));
  const push = use(new Push({ context: new Context(), ...QUICK, ...options }));
  const wire = await Wire.to(await bound(pull));
  push.connect(wire.endpoint);
  const traffic = new Traffic(push, pull);
  await traffic.flows("at first");
  return { pull, push, wire, traffic };
}

for (const how of ["reset", "fin"] as const) {
  test(`connections end with ${how}`, async () => {
    const { wire, traffic } = await pair();
    for (let i = 1; i <= 5; i++) {
      wire.cut(how);
      await until(() => wire.connections > i, "connected again");
      await traffic.flows(`after ${how} ${i}`);
    }
    await traffic.stop();
  });
}

test("FIN in the middle of a frame, anywhere", async () => {
  const { wire, traffic } = await pair();
  for (const bytes of [1, 7, 64, 100, 1001, 5003, 20011, 70001]) {
    const { connections } = wire;
    wire.cutAfter = bytes;
    await until(() => wire.connections > connections, "connected again");
    await traffic.flows(`after ${bytes} bytes`);
  }
  await traffic.stop();
});

test("a half-open connection is found by heartbeats", async () => {
  const { wire, traffic } = await pair(HEARTBEATS);
  wire.frozen = true;
  await until(() => wire.connections > 1, "another attempt");
  wire.frozen = false;
  await traffic.flows("after the wire is back");
  await traffic.stop();
});

test("the event loop is blocked for seconds", async () => {
  const { wire, traffic } = await pair(HEARTBEATS);
  const end = performance.now() + 2000;
  while (performance.now() < end);
  await traffic.flows("after the block");
  await traffic.stop();
  assert.ok(wire.connections < 5);
});

test("the clock of the system jumps", async () => {
  const { wire, traffic } = await pair(HEARTBEATS);
  const { now } = Date;
  try {
    for (const hours of [-5, 24 * 365, -24 * 365 * 50]) {
      Date.now = () => now() + hours * 3_600_000;
      await traffic.flows(`${hours} hours away`);
    }
  } finally {
    Date.now = now;
  }
  await traffic.stop();
  assert.is(wire.connections, 1);
});

test("monotonic time leaps, as after a suspended machine", async () => {
  let leap = 0;
  const inner = defaultHost();
  const host: Host = Object.create(inner, {
    now: { value: () => inner.now() + leap },
  });
  const { traffic } = await pair(HEARTBEATS, new Context({ host }));
  for (const ms of [10_000, 3_600_000, 40 * 24 * 3_600_000]) {
    leap += ms;
    await traffic.flows(`after ${ms} ms at once`);
  }
  await traffic.stop();
});

test.run();
