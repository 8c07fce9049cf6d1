/** What the module makes of addresses: those of endpoints, and those that a host tells. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Connection,
  Context,
  type Host,
  type HostAddress,
  HostError,
  Pull,
  Push,
  Reply,
} from "zeromq-wasm";
import { memoryHost } from "../host/memory_host.ts";
import { closeAll, thrown, until, use, within } from "../socket/tools.ts";

const test = suite("addresses of the module");
test.after.each(closeAll);

/** A context on a host in memory, and where this was asked to connect to. */
function inMemory(changes: Partial<Host> = {}) {
  const host = Object.assign(memoryHost(), changes);
  const { connect } = host;
  const asked: string[] = [];
  Object.assign(host, {
    connect(address: HostAddress) {
      asked.push(address.kind === "tcp" ? address.host : address.path);
      return connect(address);
    },
  });
  const context = new Context({ host, blocky: false });
  return { context, asked, host };
}

test("an interface is bound at the first of its addresses", async () => {
  const entries = [["10.0.0.7", 4], ["10.0.0.8", 4], ["fd00::7", 6], [
    "fe80::7",
    6,
  ]] as const;
  const { context } = inMemory({
    interfaces: () =>
      entries.map(([address, family]) => ({ name: "zw0", address, family })),
  });
  for (
    const [ipv6, first] of [[false, "10.0.0.7"], [true, "[fd00::7]"]] as const
  ) {
    const pull = use(new Pull({ context, ipv6 }));
    await pull.bind("tcp://zw0:*");
    assert.is(pull.lastEndpoint!.replace(/:\d+$/, ""), `tcp://${first}`);
  }
});

test("an interface may have a number for a name", async () => {
  const { context } = inMemory({
    interfaces: () => [{ name: "42", address: "10.0.0.7", family: 4 }],
  });
  const pull = use(new Pull({ context }));
  await pull.bind("tcp://42:*");
  assert.match(pull.lastEndpoint!, /^tcp:\/\/10\.0\.0\.7:/);
});

test("an interface may have spaces in its name, and a long one", async () => {
  const long = "vEthernet (Schnittstelle für die Entwicklung), Nummer 12345678";
  for (const name of ["Ethernet 2", " a  b ", long]) {
    const { context, host } = inMemory({
      interfaces: () => [
        { name, address: "10.0.0.7", family: 4 },
        { name, address: "fe80::7", family: 6 },
      ],
    });
    const listening: string[] = [];
    const { listen } = host;
    host.listen = (address, backlog) => {
      if (address.kind === "tcp") listening.push(address.host);
      return listen(address, backlog);
    };
    await use(new Pull({ context })).bind(`tcp://${name}:*`);
    const pull = use(new Pull({ context, ipv6: true }));
    await pull.bind(`tcp://[fe80::7%x${name}]:*`).catch(({ code }) =>
      assert.is(code, "EINVAL", "no interface has that name")
    );
    if (/^[a-z]/i.test(name)) await pull.bind(`tcp://[fe80::7%${name}]:*`);
    else listening.push(`fe80::7%${name}`);
    assert.equal(listening, ["10.0.0.7", `fe80::7%${name}`]);
  }
});

for (const ipv6 of [false, true]) {
  test(`an endpoint without a host is nowhere${ipv6 ? ", IPv6" : ""}`, async () => {
    const { context, asked } = inMemory();
    const push = use(
      new Push({ context, ipv6, linger: 0, reconnectInterval: 1 }),
    );
    let retries = 0;
    push.events.on("connect:retry", () => retries++);
    push.connect("tcp://:5555");
    await until(() => retries > 2, "some attempts");
    assert.equal(asked, []);
    assert.is(thrown(() => push.connect("ws://:5555/")).code, "EINVAL");
  });

  test(`any address is no name's${ipv6 ? ", IPv6" : ""}`, async () => {
    const { context, asked } = inMemory();
    const options = { context, ipv6, linger: 0 };
    const addresses = ipv6
      ? ["100::", "100::1", "100::2"]
      : ["240.0.0.0", "240.0.0.1", "240.0.0.2"];
    const hosts = ["one.test", "two.test", ...addresses, "one.test"];
    for (const host of hosts) {
      const part = host.includes(":") ? `[${host}]` : host;
      use(new Push(options)).connect(`tcp://${part}:5555`);
    }
    await until(() => asked.length >= hosts.length, "attempts");
    assert.equal(asked.slice(0, hosts.length), hosts);
    for (const host of addresses) {
      const part = ipv6 ? `[${host}]` : host;
      const pull = use(new Pull(options));
      await pull.bind(`tcp://${part}:*`);
      assert.is(pull.lastEndpoint!.replace(/:\d+$/, ""), `tcp://${part}`);
    }
  });
}

test("IPv4 addresses in short", async () => {
  const { context, asked } = inMemory();
  const push = use(new Push({ context, linger: 0 }));
  push.connect("tcp://10.1:5555");
  await until(() => asked.length > 0, "an attempt");
  assert.is(asked[0], "10.0.0.1");
  const pull = use(new Pull({ context }));
  await pull.bind("tcp://10.0x101:*");
  assert.match(pull.lastEndpoint!, /^tcp:\/\/10\.0\.1\.1:/);
});

/** Listens as a machine does that has no IPv6. */
function withoutIpv6(address: HostAddress): void {
  if (address.kind === "tcp" && address.host.includes(":")) {
    throw new HostError("EAFNOSUPPORT", "no IPv6");
  }
}

for (const isSync of [false, true]) {
  test(`without IPv6${isSync ? ", at once" : ""}`, async () => {
    const plain = memoryHost();
    const { context, asked } = inMemory({
      connect: plain.connect,
      async listen(address, backlog) {
        withoutIpv6(address);
        return await plain.listen(address, backlog);
      },
      listenSync(address) {
        withoutIpv6(address);
        return {
          local: { host: "10.0.0.1", port: 4711 },
          start() {},
          close() {},
        };
      },
    });
    const bind = async (address: string) => {
      const pull = use(new Pull({ context, ipv6: true }));
      if (isSync) pull.bindSync(address);
      else await pull.bind(address);
      return pull.lastEndpoint!.replace(/:\d+$/, "");
    };
    // While it is not known.
    assert.is(await bind("tcp://10.0.0.1:*"), "tcp://[::ffff:10.0.0.1]");
    const before = use(new Push({ context, ipv6: true, linger: 0 }));
    before.connect("tcp://10.0.0.1:5555");
    await until(() => asked.length === 1, "an attempt");
    for (const _ of ["first", "again"]) {
      assert.is(await bind("tcp://*:*"), "tcp://0.0.0.0");
      assert.match(await bind("ws://*:*/"), /^ws:..0.0.0.0:/);
      const error = await bind("tcp://[::1]:*").catch((error) => error);
      assert.is(error.code, "ENODEV");
    }
    assert.is(await bind("tcp://10.0.0.1:*"), "tcp://10.0.0.1");
    const after = use(new Push({ context, ipv6: true, linger: 0 }));
    after.connect("tcp://home.test:5555");
    await until(() => asked.includes("home.test"), "an attempt");
    assert.ok(asked.every((host) => !host.includes(":")));
  });
}

for (const address of ["fe80::3%eth7", "fe80::3%7", "fe80::3"]) {
  test(`both ends at ${address}`, async () => {
    const plain = memoryHost();
    const { context } = inMemory({
      connect: plain.connect,
      async listen(at, backlog) {
        const listener = await plain.listen(at, backlog);
        const { start } = listener;
        listener.start = (accept) =>
          start((connection: Connection) =>
            accept(
              Object.assign(connection, {
                local: { host: address, port: 4711 },
                remote: { host: address, port: 4712 },
              }),
            )
          );
        return listener;
      },
    });
    const handler = use(new Reply({ context }));
    await handler.bind("inproc://zeromq.zap.01");
    const pull = use(new Pull({ context, ipv6: true, zapDomain: "d" }));
    const accepted = new Promise<string>((resolve) =>
      pull.events.on("accept", (event) => resolve(event.address!))
    );
    await pull.bind("tcp://*:*");
    const push = use(new Push({ context, ipv6: true, linger: 0 }));
    push.connect(`tcp://[::1]:${/\d+$/.exec(pull.lastEndpoint!)![0]}`);
    const sent = push.send("x");
    const [version, id, , from] = await within(handler.receive(), "a request");
    assert.is(String(from), address);
    await handler.send([version!, id!, "200", "OK", "user", ""]);
    const { properties } = await within(
      pull.receiveWithProperties(),
      "a message",
    );
    assert.is(properties["Peer-Address"], address);
    assert.is(await accepted, `tcp://[${address}]:4711`);
    await sent;
  });
}

test.run();
