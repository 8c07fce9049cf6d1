/** What ZeroMQ promises to keep is kept while the other side is away, and no more than that. */
import { spawnSync } from "node:child_process";
import { createServer, type Socket as Tcp } from "node:net";
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  defaultHost,
  type Host,
  HostError,
  Pull,
  Push,
} from "zeromq-wasm";
import {
  bound,
  closeAll,
  freshPath,
  pause,
  rejection,
  until,
  use,
  within,
} from "../socket/tools.ts";
import { Ledger, numbered, Traffic } from "./tools.ts";

const test = suite("kept");
test.after.each(closeAll);

const portOf = (endpoint: string) => Number(/\d+$/.exec(endpoint)![0]);
const HWM = 20;

/** Sends numbered messages until the socket takes no more, and some time after. */
async function fill(push: Push, from: number): Promise<number> {
  for (let idle = 0; idle < 20; idle++) {
    while (push.writable) {
      await push.send(numbered(from++));
      idle = 0;
    }
    await pause(5);
  }
  return from;
}

test("while nobody is there, a sender keeps its high-water mark of messages, and all come", async () => {
  const first = use(new Pull({ context: new Context() }));
  const endpoint = await bound(first);
  const push = use(
    new Push({
      context: new Context(),
      linger: 0,
      reconnectInterval: 10,
      sendHighWaterMark: HWM,
    }),
  );
  let lost = 0, tried = 0;
  push.events.on("disconnect", () => lost++);
  push.events.on("close", () => tried++);
  push.connect(endpoint);
  await push.send(numbered(0));
  await within(first.receive(), "the first message");
  first.close();
  await until(() => lost > 0 && tried > 3, "some attempts in vain");
  const sent = await fill(push, 1);
  // Room that was read free is told the sender half a mark at a time.
  assert.ok(sent - 1 <= HWM && sent - 1 >= HWM / 2, `${sent - 1} are kept`);
  const again = use(
    new Pull({ context: new Context(), receiveHighWaterMark: 3 }),
  );
  await until(() => again.bind(endpoint).then(() => true, () => false), "bind");
  const ledger = new Ledger();
  while (ledger.last < sent - 1) {
    ledger.add(await within(again.receive(), "what was kept"));
  }
  assert.is(ledger.count, sent - 1, "each of them");
});

test("a port goes away and comes back: the same sender goes on", async () => {
  const context = new Context();
  let pull = use(new Pull({ context }));
  const endpoint = await bound(pull);
  const push = use(
    new Push({ context: new Context(), linger: 0, reconnectInterval: 10 }),
  );
  let refused = 0;
  push.events.on("close", () => refused++);
  push.connect(endpoint);
  const ledger = new Ledger();
  for (let n = 0; n < 3; n++) {
    await push.send(numbered(ledger.last + 1));
    ledger.add(await within(pull.receive(), "a message"));
    pull.close();
    const before = refused;
    await until(() => refused > before + 2, "nobody is there");
    // Somebody who hangs up at once.
    const server = createServer((socket: Tcp) =>
      void socket.on("error", () => {}).resetAndDestroy()
    );
    let visits = 0;
    server.on("connection", () => visits++);
    await until(() =>
      new Promise((resolve) => {
        server.once("error", () => resolve(false));
        server.listen(portOf(endpoint), "127.0.0.1", () => resolve(true));
      }), "the port is free");
    await until(() => visits > 2, "visits");
    await new Promise((resolve) => server.close(resolve));
    pull = use(new Pull({ context }));
    await until(
      () => pull.bind(endpoint).then(() => true, () => false),
      "bind",
    );
  }
});

test("no space for an ipc path: what is open goes on, and a path can be had later", async () => {
  let full = true;
  const inner = defaultHost();
  const host: Host = Object.create(inner, {
    listen: {
      value: (...args: Parameters<Host["listen"]>) =>
        full && args[0].kind !== "tcp"
          ? Promise.reject(new HostError("ENOSPC", "no space left on device"))
          : inner.listen(...args),
    },
    listenSync: { value: undefined },
  });
  const context = new Context({ host });
  const pull = use(new Pull({ context }));
  const push = use(new Push({ linger: 0, reconnectInterval: 10 }));
  push.connect(await bound(pull));
  const traffic = new Traffic(push, pull);
  await traffic.flows("at first");
  const endpoint = `ipc://${freshPath()}`;
  // A socket that binds takes no new `receive`, so nothing may arrive then.
  await traffic.stop();
  for (let i = 0; i < 3; i++) {
    const error = await rejection(pull.bind(endpoint));
    assert.is(error.code, "ENOSPC");
    assert.is(error.address, endpoint);
  }
  traffic.start();
  await traffic.flows("in spite of it");
  const waiting = use(new Push({ linger: 0, reconnectInterval: 10 }));
  waiting.connect(endpoint);
  await traffic.stop();
  full = false;
  await pull.bind(endpoint);
  await waiting.send(numbered(traffic.sent));
  await until(() => traffic.ledger.last === traffic.sent, "over the path");
});

// A real one, which only root can make, and not on every machine.
const folder = freshPath("disk");
mkdirSync(folder);
const mount = () =>
  spawnSync("mount", [
    ...["-t", "tmpfs", "-o", "size=4k,nr_inodes=3", "tmpfs", folder],
  ]).status === 0;
const unmount = () => void spawnSync("umount", ["-l", folder]);
const mounts = process.getuid!() === 0 && mount();
if (mounts) unmount();
else console.log("note: skipped: no small disk can be mounted");
(mounts ? test : test.skip)(
  "a disk without space for an ipc path",
  async () => {
    assert.ok(mount());
    use({ close: unmount });
    writeFileSync(`${folder}/a`, "");
    writeFileSync(`${folder}/b`, "");
    const pull = use(new Pull({ context: new Context() }));
    const endpoint = `ipc://${folder}/socket`;
    const push = use(new Push({ linger: 0, reconnectInterval: 10 }));
    push.connect(endpoint);
    assert.is((await rejection(pull.bind(endpoint))).code, "ENOSPC");
    spawnSync("rm", [`${folder}/a`]);
    await pull.bind(endpoint);
    const traffic = new Traffic(push, pull);
    await traffic.flows("once there is space");
    await traffic.stop();
  },
);

test.run();
