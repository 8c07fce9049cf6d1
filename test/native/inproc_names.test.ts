/** What the default context knows of inproc names, and forgets. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as inner from "../../ts/mod.ts";
import { coreOf } from "../../ts/socket/context.ts";
import { closeAll, use, within } from "../socket/tools.ts";

const test = suite("inproc names");
test.after.each(closeAll);

test("names that were bound and connected to leave nothing behind", async () => {
  // The default context: only it looks for names in other threads.
  const core = coreOf(inner.context);
  const pair = use(new inner.Pair());
  await pair.bind("inproc://leaks");
  const { outside } = core.reactor.instance.fds;
  const before = outside.size;
  for (let i = 0; i < 50; i++) {
    const a = new inner.Pair(), b = new inner.Pair();
    await a.bind(`inproc://leaks-${i}`);
    b.connect(`inproc://leaks-${i}`);
    assert.equal([...core.inproc.all()], [`inproc://leaks-${i}`]);
    a.close();
    await b[Symbol.asyncDispose]();
  }
  assert.is(outside.size, before);
  assert.is(core.inproc.all().size, 0);
});

test("a socket with an affinity connects to a name that nobody has", async () => {
  const orders: Record<string, (socket: inner.Dealer, to: string) => void> = {
    "set before": (socket, to) => {
      socket.affinity = 2;
      socket.connect(to);
    },
    "set after": (socket, to) => {
      socket.connect(to);
      socket.affinity = 2;
    },
  };
  for (const [order, connect] of Object.entries(orders)) {
    for (const disconnects of [true, false]) {
      const address = `inproc://affinity-${order}-${disconnects}`;
      const socket = use(new inner.Dealer({ linger: 0 }));
      connect(socket, address);
      // It looks for the name elsewhere now.
      await new Promise((resolve) => setImmediate(resolve));
      if (disconnects) {
        socket.disconnect(address);
        await new Promise((resolve) => setImmediate(resolve));
        socket.connect(address);
      }
      const peer = use(new inner.Dealer({ linger: 0 }));
      await within(peer.bind(address), `bind, ${order}`);
      await within(socket.send("x"), `a send, ${order}`);
      const [frame] = await within(peer.receive(), `a message, ${order}`);
      assert.is(String(frame), "x");
    }
  }
});

test.run();
