/** Which addresses are refused, and how. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import { closeAll, use } from "../socket/tools.ts";
import { differs, outcome } from "./module.ts";

const test = suite("addresses");
test.after.each(closeAll);

/** The codes that bind and connect give; "ok" for none. */
const CASES: [string, string, string][] = [
  ["", "EINVAL", "EINVAL"],
  ["foo", "EINVAL", "EINVAL"],
  ["foo://bar", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["pgm://x", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["tcp://", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1", "EINVAL", "EINVAL"],
  ["tcp://:5555", "ENODEV", "ok"],
  ["tcp://999.1:5555", "ENODEV", "ok"],
  ["tcp://127.0.0.1:x", "EINVAL", "EINVAL"],
  ["tcp://no-such-host.invalid:5555", "ENODEV", "ok"],
  ["tcp://192.0.2.1:5555", "EADDRNOTAVAIL", "ok"],
  ["ipc:///no-such-folder/x", "ENOENT", "ok"],
  [`ipc://${"x".repeat(200)}`, "ENAMETOOLONG", "ENAMETOOLONG"],
];

for (const [address, bind, connect] of CASES) {
  test(`"${address.slice(0, 40)}"`, async () => {
    const socket = use(new zmq.Dealer({ linger: 0 }));
    assert.is(await outcome(() => socket.bind(address)), bind);
    assert.is(
      await outcome(() => socket.connect(address)),
      connect === "ok" ? "ok" : `throws ${connect}`,
    );
    if (bind === "ok") return;
    const error = await socket.bind(address).then(
      () => assert.unreachable(),
      (error) => error as zmq.ZmqError,
    );
    assert.is(error!.address, address);
    assert.type(error!.errno, "number");
    assert.instance(error!, Error);
  });
}

test("sentences", async () => {
  const socket = use(new zmq.Dealer({ linger: 0 }));
  for (
    const [address, sentence] of [
      ["foo", "Invalid argument"],
      ["foo://x", "Protocol not supported"],
      ["tcp://no-such-host.invalid:5", "No such device"],
      [`ipc://${"x".repeat(200)}`, "File name too long"],
    ] as const
  ) {
    const text = await outcome(() => socket.bind(address), true);
    assert.is(text.replace(/^\w+: /, ""), sentence);
  }
  const said = await outcome(() => socket.bind("tcp://192.0.2.1:5"), true);
  assert.is(
    said === "EADDRNOTAVAIL: Cannot assign requested address",
    differs("messages", { native: true, ours: false }),
  );
});

test("a port above 65535", async () => {
  const socket = use(new zmq.Dealer({ linger: 0 }));
  assert.is(
    await outcome(() => socket.connect("tcp://127.0.0.1:99999")),
    differs("port", { native: "ok", ours: "throws EINVAL" }),
  );
});

test("what was not bound or connected", async () => {
  const socket = use(new zmq.Dealer());
  const address = "tcp://127.0.0.1:9";
  assert.is(
    await outcome(() => socket.unbind(address), true),
    "ENOENT: No such endpoint",
  );
  assert.is(
    await outcome(() => socket.disconnect(address), true),
    "throws ENOENT: No such endpoint",
  );
});

test("what is no address", async () => {
  const socket = use(new zmq.Dealer()) as unknown as Record<
    string,
    (address?: unknown) => unknown
  >;
  for (const name of ["bind", "unbind", "connect", "disconnect", "bindSync"]) {
    for (const wrong of [5, null, undefined]) {
      assert.is(
        await outcome(() => socket[name]!(wrong), true),
        "throws TypeError: Address must be a string",
        name,
      );
    }
  }
});

test("an inproc name is taken once", async () => {
  const a = use(new zmq.Pair()), b = use(new zmq.Pair());
  await a.bind("inproc://parity-name");
  assert.is(
    await outcome(() => b.bind("inproc://parity-name"), true),
    "EADDRINUSE: Address already in use",
  );
});

test("a directory is no place for a socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zmq-"));
  const socket = use(new zmq.Pair());
  for (const _ of ["empty", "not empty"]) {
    assert.is(
      await outcome(() => socket.bind(`ipc://${folder}`)),
      "EADDRINUSE",
    );
    writeFileSync(join(folder, "file"), "");
  }
  rmSync(folder, { recursive: true });
});

test("an endpoint with a wildcard is gone when it is unbound by its real name", async () => {
  const front = use(new zmq.Dealer()), back = use(new zmq.Dealer());
  await back.bind("tcp://127.0.0.1:*");
  await front.bind("tcp://127.0.0.1:*");
  await front.unbind(front.lastEndpoint!);
  assert.match(
    await outcome(() => new zmq.Proxy(front, back).run()),
    /EINVAL$/,
  );
});

test.run();
