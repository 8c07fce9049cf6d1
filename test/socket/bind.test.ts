/** Binding: several at once, again, not at all; unbinding. */
import { existsSync, readdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  defaultHost,
  Pair,
  Pull,
  Push,
  Reply,
  Request,
} from "zeromq-wasm";
import {
  anywhere,
  bound,
  checkError,
  closeAll,
  freePort,
  freshPath,
  next,
  pause,
  rejection,
  runProgram,
  stays,
  thrown,
  until,
  use,
  within,
} from "./tools.ts";

const test = suite("bind");
test.after.each(closeAll);

const BLOCKED = /Socket is blocked by a bind or unbind operation/;

test("sockets bind to wildcard ports at the same time", async () => {
  const context = new Context();
  const pulls = Array.from({ length: 8 }, () => use(new Pull({ context })));
  await within(
    Promise.all(pulls.map((pull) => pull.bind("tcp://127.0.0.1:*"))),
    "all binds",
  );
  assert.is(context.resources.listeners, pulls.length);
  const endpoints = pulls.map((pull) => pull.lastEndpoint!);
  assert.is(new Set(endpoints).size, pulls.length, endpoints.join());
  const push = use(new Push({ context, linger: 0 }));
  for (const endpoint of endpoints) push.connect(endpoint);
  for (const _ of pulls) await push.send("x");
  for (const pull of pulls) assert.equal(await next(pull), ["x"]);
});

test("of sockets that bind to one port at the same time, one wins", async () => {
  const context = new Context();
  const address = `tcp://127.0.0.1:${await freePort()}`;
  const pulls = [1, 2, 3].map(() => use(new Pull({ context })));
  const results = await within(
    Promise.allSettled(pulls.map((pull) => pull.bind(address))),
    "all binds",
  );
  const failed = results.filter((result) => result.status === "rejected");
  assert.is(failed.length, 2);
  for (const { reason } of failed) {
    checkError(reason, "EADDRINUSE", { address });
  }
  assert.is(context.resources.listeners, 1);
  const winner = pulls.find((pull) => pull.lastEndpoint === address)!;
  const push = use(new Push({ linger: 0 }));
  push.connect(address);
  await push.send("x");
  assert.equal(await next(winner), ["x"]);
});

test("a busy port is EADDRINUSE, whoever has it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as { port: number };
  const first = use(new Pull());
  const busy = [`tcp://127.0.0.1:${port}`, await bound(first)];
  const second = use(new Pull());
  for (const address of busy) {
    const error = await rejection(second.bind(address));
    checkError(error, "EADDRINUSE", {
      address,
      says: /^Address already in use/,
    });
  }
  server.close();
  // Nothing of it is left: the socket can still be used.
  await bound(second);
});

test("a socket binds to several endpoints", async () => {
  const pull = use(new Pull());
  for (const transport of ["tcp", "ipc", "inproc", "tcp"] as const) {
    const push = use(new Push({ linger: 0 }));
    push.connect(await bound(pull, transport));
    await push.send(transport);
    assert.equal(await next(pull), [transport]);
  }
});

test("during bind and unbind everything else is EBUSY", async () => {
  const reply = use(new Reply());
  const address = anywhere("tcp");
  const during = (what: string) => {
    const calls = {
      bind: () => reply.bind(address),
      unbind: () => reply.unbind(address),
      connect: () => reply.connect("inproc://x"),
      disconnect: () => reply.disconnect("inproc://x"),
      send: () => reply.send("x"),
      receive: () => reply.receive(),
    };
    for (const [name, call] of Object.entries(calls)) {
      const error = thrown(call, `${name} during ${what}`);
      checkError(error, "EBUSY", { says: BLOCKED });
    }
    reply.linger = 5;
    assert.is(reply.linger, 5);
  };
  const binding = reply.bind(address);
  during("bind");
  await binding;
  const unbinding = reply.unbind(reply.lastEndpoint!);
  during("unbind");
  await unbinding;
});

test("close during bind waits for its end, good or bad", async () => {
  const taken = use(new Pull());
  const cases: [string, string | undefined][] = [
    [anywhere("tcp"), undefined],
    [anywhere("ipc"), undefined],
    [await bound(taken), "EADDRINUSE"],
  ];
  for (const [address, code] of cases) {
    const context = new Context();
    const socket = use(new Pull({ context }));
    const binding = socket.bind(address);
    socket.close();
    assert.is(socket.closed, false, address);
    if (code) checkError(await rejection(binding), code, { address });
    else await within(binding, address);
    assert.is(socket.closed, true, address);
    checkError(thrown(() => socket.receive()), "EBADF");
    await until(() => context.resources.listeners === 0, "no listener");
    await until(() => context.resources.sockets === 0, "no socket");
  }
});

test("unbind stops listening, and only there", async () => {
  const pull = use(new Pull());
  const first = await bound(pull), second = await bound(pull);
  await within(pull.unbind(first), "unbind");
  const port = Number(first.split(":").at(-1));
  const knock = () =>
    new Promise<string | undefined>((resolve) => {
      const peer = connect(port, "127.0.0.1");
      const failed = (error: Error & { code?: string }) => resolve(error.code);
      peer.once("error", failed).once("connect", () => {
        resolve(undefined);
        peer.destroy();
      });
    });
  // Some runtimes need a turn of the event loop or two.
  while (await knock() !== "ECONNREFUSED") await pause(1);
  const push = use(new Push({ linger: 0 }));
  push.connect(second);
  await push.send("x");
  assert.equal(await next(pull), ["x"]);
  // The port is free at once.
  await within(use(new Pull()).bind(first), "bind again");
  const gone = await rejection(pull.unbind(first));
  checkError(gone, "ENOENT", { address: first });
  const never = await rejection(pull.unbind("inproc://never"));
  checkError(never, "ENOENT", { address: "inproc://never" });
});

test("names and paths may be long, and are told whole", async () => {
  for (const size of [900, 1023, 1024, 1100, 5000, 40_000]) {
    const address = `inproc://${"a".repeat(size)}`;
    const first = use(new Pull()), second = use(new Pull());
    await first.bind(address);
    assert.is(first.lastEndpoint, address);
    const busy = thrown(() => second.bindSync(address));
    checkError(busy, "EADDRINUSE", { address });
    await first.unbind(address);
    second.bindSync(address);
    assert.is(second.lastEndpoint, address);
    const push = use(new Push({ linger: 0 }));
    push.connect(address);
    await push.send("x");
    assert.equal(await next(second), ["x"]);
    push.disconnect(address);
    second.unbindSync(address);
    checkError(thrown(() => second.unbindSync(address)), "ENOENT", { address });
  }
  const pull = use(new Pull()), path = "a".repeat(2000);
  await pull.bind(`ws://127.0.0.1:*/${path}`);
  assert.match(pull.lastEndpoint!, /^ws:\/\/127\.0\.0\.1:\d+\/a{2000}$/);
  await pull.unbind(pull.lastEndpoint!);
});

test("ipc://* makes a directory of its own and removes it", async () => {
  const pull = use(new Pull()), push = use(new Push({ linger: 0 }));
  await within(pull.bind("ipc://*"), "bind");
  const path = pull.lastEndpoint!.replace("ipc://", "");
  const directory = path.replace(/\/[^/]*$/, "");
  assert.ok(existsSync(path), path);
  push.connect(pull.lastEndpoint!);
  await push.send("x");
  assert.equal(await next(pull), ["x"]);
  // Known by either name.
  await within(pull.unbind("ipc://*"), "unbind");
  await until(() => !existsSync(directory), "the directory is gone");
});

test("a failed bind to ipc://* leaves no directory", async () => {
  const base = freshPath("t".repeat(110));
  const { out, err } = await runProgram(
    `import { mkdirSync } from "node:fs";
    mkdirSync(${JSON.stringify(base)});
    const error = await new z.Pull().bind("ipc://*").catch((e) => e);
    console.log(error.code, error.address);`,
    { env: { TMPDIR: base } },
  );
  assert.is(out, "ENAMETOOLONG ipc://*\n", err);
  assert.equal(readdirSync(base), []);
});

test("inproc names are one context's", async () => {
  const address = anywhere("inproc");
  const contexts = [new Context(), new Context()];
  const pairs = contexts.map((context) => use(new Pair({ context })));
  await Promise.all(pairs.map((pair) => pair.bind(address)));
  const busy = await rejection(
    use(
      new Pair(
        contexts[0] && {
          context: contexts[0],
        },
      ),
    ).bind(address),
  );
  checkError(busy, "EADDRINUSE", { address });
  const other = use(new Pair({ context: contexts[1]! }));
  other.connect(address);
  await other.send("x");
  assert.equal(await next(pairs[1]!), ["x"]);
  assert.ok(await stays(pairs[0]!.receive()));
});

test("disconnect ends a connection; twice is ENOENT", async () => {
  const reply = use(new Reply()), request = use(new Request({ linger: 0 }));
  const address = await bound(reply);
  request.connect(address);
  await request.send("x");
  assert.equal(await next(reply), ["x"]);
  await reply.send("y");
  assert.equal(await next(request), ["y"]);
  request.disconnect(address);
  checkError(thrown(() => request.disconnect(address)), "ENOENT", { address });
  assert.ok(await stays(request.send("nobody")));
});

test("interfaces are looked for by name only", async () => {
  let looked = 0;
  const host = {
    ...defaultHost(),
    interfaces() {
      looked++;
      return [{ name: "here", address: "127.0.0.1", family: 4 as const }];
    },
  };
  const context = new Context({ host });
  const wide = use(new Pull({ context, ipv6: true }));
  for (
    const address of ["tcp://127.0.0.1:*", "tcp://[::1]:*", "ws://*:*/path"]
  ) await wide.bind(address);
  assert.is(looked, 0);
  const pull = use(new Pull({ context }));
  await pull.bind("tcp://here:*");
  assert.match(pull.lastEndpoint!, /^tcp:\/\/127\.0\.0\.1:\d+$/);
  assert.ok(looked > 0);
  const address = "tcp://elsewhere.invalid:*";
  checkError(await rejection(pull.bind(address)), "ENODEV", { address });
});

test.run();
