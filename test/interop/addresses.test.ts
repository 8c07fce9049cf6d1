/** The forms of tcp and ipc addresses, each understood by both sides alike. */
import { existsSync } from "node:fs";
import { createServer, type Socket as TcpSocket } from "node:net";
import { networkInterfaces } from "node:os";
import process from "node:process";
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import { failure, until, within } from "../support/deadline.ts";
import { type End, freshPath, Ours, same, Theirs } from "../support/ends.ts";
import { checkLeaks } from "../support/leaks.ts";
import { Peer } from "../support/peer.ts";
import { interopSuite } from "../support/python.ts";

const test = interopSuite("addresses");
checkLeaks(test);

let peer: Peer;
test.before(async () => {
  peer = await Peer.start();
});

const onDeno = "Deno" in globalThis;
/** Node 20 fills abstract names up with NULs, which makes them other names. */
const exactNames = onDeno || Number(process.versions.node.split(".")[0]) >= 22;

const loopback = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
  (all ?? []).filter((it) => it.internal).map(({ address }) => ({
    name,
    address,
  }))
);
const loopbackName = loopback.find((it) => it.address === "127.0.0.1")?.name;
const hasIpv6 = loopback.some((it) => it.address === "::1");
const linkLocal =
  Object.entries(networkInterfaces()).flatMap(([name, all]) =>
    (all ?? []).flatMap((it) =>
      it.family === "IPv6" && it.address.startsWith("fe80:") && it.scopeid
        ? [{ name, address: it.address, number: it.scopeid }]
        : []
    )
  )[0];

/** One message each way between ends that can be either side's. */
async function talk(a: End, b: End, what: string): Promise<void> {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    await from.send(["over", what]);
    same(await to.receive(), ["over", what], what);
  }
}

/**
 * Binds and connects with either side in either role. `connecting` makes the
 * address to connect to of the one that was bound.
 */
function bothRoles(
  name: string,
  address: () => string,
  { connecting = (bound: string) => bound, bound = /./, ipv6 = false } = {},
): void {
  for (const weBind of [true, false]) {
    const what = `${name}: ${weBind ? "we bind" : "we connect"}`;
    test(what, async () => {
      const ours = new Ours("DEALER", { ipv6 });
      const theirs = await Theirs.create(peer, "DEALER", {
        IPV6: Number(ipv6),
      });
      const [binder, connecter] = weBind ? [ours, theirs] : [theirs, ours];
      const run = async () => {
        const found = await binder.bind(address());
        assert.match(found, bound, what);
        await connecter.connect(connecting(found));
        await talk(ours, theirs, what);
      };
      try {
        await within(run(), what);
      } finally {
        ours.close();
        await theirs.close();
      }
    });
  }
}

const portOf = (address: string) => /\d+$/.exec(address)![0];

bothRoles("any port, *", () => "tcp://127.0.0.1:*", {
  bound: /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/,
});
bothRoles("any port, 0", () => "tcp://127.0.0.1:0", {
  bound: /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/,
});
bothRoles("any address", () => "tcp://*:*", {
  bound: /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/,
  connecting: (bound) => `tcp://127.0.0.1:${portOf(bound)}`,
});
bothRoles("an address in short", () => "tcp://127.1:*", {
  bound: /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/,
  connecting: (bound) => bound.replace("127.0.0.1", "127.1"),
});
bothRoles("host name to connect to", () => "tcp://127.0.0.1:*", {
  connecting: (bound) => `tcp://localhost:${portOf(bound)}`,
});
bothRoles("ipc path", () => `ipc://${freshPath()}`, { bound: /^ipc:\/\/\// });
bothRoles("ipc path of its own", () => "ipc://*", { bound: /^ipc:\/\/\// });
if (loopbackName) {
  bothRoles("interface", () => `tcp://${loopbackName}:*`, {
    bound: /^tcp:\/\/127\.0\.0\.1:/,
  });
} else test.skip();
if (hasIpv6) {
  bothRoles("IPv6", () => "tcp://[::1]:*", {
    bound: /^tcp:\/\/\[::1\]:[1-9]\d*$/,
    ipv6: true,
  });
  bothRoles("any IPv6 address, IPv6 peer", () => "tcp://*:*", {
    bound: /^tcp:\/\/\[::\]:[1-9]\d*$/,
    connecting: (bound) => `tcp://[::1]:${portOf(bound)}`,
    ipv6: true,
  });
  bothRoles("any IPv6 address, IPv4 peer", () => "tcp://*:*", {
    connecting: (bound) => `tcp://127.0.0.1:${portOf(bound)}`,
    ipv6: true,
  });
} else test.skip();
if (linkLocal) {
  const { name, address, number } = linkLocal;
  for (const scope of [name, number]) {
    bothRoles(`link-local address, scope ${scope}`, () => {
      return `tcp://[${address}%${scope}]:*`;
    }, {
      bound: /^tcp:\/\/\[fe80:[^\]]*%\w+\]:[1-9]\d*$/,
      connecting: (bound) => bound.replace(/%\w+/, `%${scope}`),
      ipv6: true,
    });

    test(`link-local address among ours, scope ${scope}`, async () => {
      const at = `[${address}%${scope}]`;
      const pull = new Pull({ ipv6: true });
      const push = new Push({ ipv6: true, linger: 0 });
      try {
        pull.bindSync(`tcp://${at}:*`);
        const to = pull.lastEndpoint!.replace("tcp://", "");
        push.connect(onDeno ? `tcp://${to}` : `tcp://${at}:0;${to}`);
        await push.send("x");
        const { properties } = await within(
          pull.receiveWithProperties(),
          "a message",
        );
        // The others do not tell the scope.
        const isTold = !onDeno && !("Bun" in globalThis);
        const from = isTold ? `${address}%${name}` : address;
        assert.is(properties["Peer-Address"], from);
      } finally {
        push.close();
        pull.close();
      }
    });
  }
} else test.skip();

let names = 0;
const abstractName = () => `ipc://@zmq-interop-${process.pid}-${++names}`;
if (exactNames) {
  bothRoles("abstract name", abstractName, { bound: /^ipc:\/\/@zmq-interop-/ });
} else {
  test("abstract name among ours", async () => {
    const ends = [new Ours("DEALER"), new Ours("DEALER")] as const;
    try {
      ends[1].connect(await ends[0].bind(abstractName()));
      await within(talk(...ends, "abstract name"), "abstract name");
    } finally {
      for (const end of ends) end.close();
    }
  });
}

test("binds to a host name", async () => {
  const ours = new Ours("DEALER");
  const theirs = await Theirs.create(peer, "DEALER");
  try {
    const found = await ours.bind("tcp://localhost:*");
    assert.match(found, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    await theirs.connect(found);
    await within(talk(ours, theirs, "bound name"), "bound name");
  } finally {
    ours.close();
    await theirs.close();
  }
});

test("an address of the peer's is in use", async () => {
  const ours = new Ours("DEALER");
  const theirs = await Theirs.create(peer, "DEALER");
  try {
    const taken = await theirs.bind("tcp://127.0.0.1:*");
    const error = await failure(() => ours.bind(taken), "bind to a taken port");
    assert.is(error.code, "EADDRINUSE");
    await theirs.socket.unbind(taken);
    await until(
      () => ours.bind(taken).then(() => true, () => false),
      "bind to the port given up",
    );
  } finally {
    ours.close();
    await theirs.close();
  }
});

test("the file of an ipc listener goes with it", async () => {
  const path = freshPath();
  const ours = new Ours("DEALER");
  await ours.bind(`ipc://${path}`);
  assert.ok(existsSync(path));
  ours.close();
  await until(() => !existsSync(path), "removal of the file");
});

test("binds where a killed process left its ipc file", async () => {
  const path = freshPath();
  const victim = await Peer.start();
  await (await victim.socket("DEALER")).bind(`ipc://${path}`);
  await victim.kill();
  assert.ok(existsSync(path));
  const ours = new Ours("DEALER");
  const theirs = await Theirs.create(peer, "DEALER");
  try {
    await theirs.connect(await ours.bind(`ipc://${path}`));
    await within(talk(ours, theirs, "left file"), "left file");
  } finally {
    ours.close();
    await theirs.close();
  }
});

test("source address", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  const ours = new Ours("DEALER");
  let connection: TcpSocket | undefined;
  try {
    await until(() => server.listening, "listening");
    const { port } = server.address() as { port: number };
    const address = `tcp://127.0.0.2:0;127.0.0.1:${port}`;
    if (onDeno) {
      // Deno cannot, and says so at once instead of connecting from elsewhere.
      const error = await failure(
        () => ours.connect(address),
        "source on Deno",
      );
      assert.match(error.message, /source address/);
      return;
    }
    const accepted = new Promise<TcpSocket>((resolve) =>
      server.once("connection", resolve)
    );
    await ours.connect(address);
    connection = await within(accepted, "connection from a source address");
    assert.is(connection.remoteAddress, "127.0.0.2");
  } finally {
    ours.close();
    connection?.destroy();
    server.close();
  }
});

test.run();
