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
    assert.is(core.inproc.sockets.length, 1);
    a.close();
    await b[Symbol.asyncDispose]();
  }
  assert.is(outside.size, before);
  assert.is(core.inproc.sockets.length, 0);
});

for (const isDefault of [true, false]) {
  const where = isDefault ? "the default context" : "a context";
  const contextOf = () => isDefault ? inner.context : new inner.Context();
  const socketIn = (context: inner.Context) =>
    use(new inner.Dealer({ context, linger: 0 }));

  test(`${where}: names that were connected to and disconnected leave nothing behind`, async () => {
    const context = contextOf();
    const { inproc, reactor } = coreOf(context);
    const { outside } = reactor.instance.fds;
    const socket = socketIn(context), peer = socketIn(context);
    const subscriber = use(new inner.Subscriber({ context }));
    subscriber.subscribe("topic");
    const meet = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const address = `inproc://left-${count}-${i}`;
        const isBound = i % 3 === 0;
        if (isBound) peer.bindSync(address);
        for (const each of [socket, subscriber]) {
          if (isBound && each === subscriber) continue;
          each.connect(address);
          each.connect(address);
          // Sometimes it is looked for elsewhere by now.
          if (i % 2 === 0) await new Promise((done) => setImmediate(done));
          each.disconnect(address);
        }
        if (isBound) peer.unbindSync(address);
      }
      reactor.pump();
      return context.resources.heap;
    };
    const before = await meet(99), paths = outside.size;
    assert.ok(await meet(300) <= before);
    assert.is(outside.size, paths);
    assert.is(inproc.sockets.length, 0);
  });

  test(`${where}: messages for a name wait for who binds it, also after a disconnect`, async () => {
    const context = contextOf();
    const socket = use(new inner.Dealer({ context }));
    socket.connect(`inproc://waits-${isDefault}`);
    await socket.send("waits");
    socket.disconnect(`inproc://waits-${isDefault}`);
    const peer = use(new inner.Dealer({ context, linger: 0 }));
    await within(peer.bind(`inproc://waits-${isDefault}`), "bind");
    const [frame] = await within(peer.receive(), "the message");
    assert.is(String(frame), "waits");
  });

  test(`${where}: a closed socket without messages waits for nobody`, async () => {
    const context = contextOf();
    const { reactor } = coreOf(context);
    const open = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const socket = new inner.Dealer({ context, conflate: i % 2 === 0 });
        socket.connect(`inproc://closed-${isDefault}-${count}-${i}`);
        if (i % 3 === 0) await new Promise((done) => setImmediate(done));
        socket.close();
      }
      reactor.pump();
      assert.is(context.resources.sockets, 0);
      return context.resources.heap;
    };
    const before = await open(10);
    const { size } = reactor.instance.fds.outside;
    assert.ok(await open(100) <= before);
    assert.is(reactor.instance.fds.outside.size, size);
  });
}

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
