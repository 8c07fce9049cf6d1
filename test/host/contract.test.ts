/** What every host promises: streams over tcp and ipc, errors, the order of things. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { denoHost } from "../../ts/host/deno.ts";
import {
  type Connection,
  type Host,
  type HostAddress,
  HostError,
  type Listener,
} from "../../ts/host/host.ts";
import { nodeHost } from "../../ts/host/node.ts";
import {
  freePort,
  freshPath,
  isDeno,
  pause,
  thrown,
  until,
  within,
} from "../socket/tools.ts";
import { callsC } from "./c_library.ts";

/** Everything that happened on a connection; `busy` tells of a call in a call. */
class Log {
  readonly events: string[] = [];
  bytes = 0;
  sum = 0;
  error: HostError | undefined;
  synchronous = false;
  inside = false;
  /** Called for each `data`; returns what `data` shall return. */
  answer: () => Uint8Array | undefined = () => undefined;
  /** What `places` returns. */
  places: () => Uint8Array[] | undefined = () => undefined;

  constructor(readonly connection: Connection) {
    let places: Uint8Array[] | undefined;
    const take = (bytes: Uint8Array) => {
      this.bytes += bytes.length;
      for (const byte of bytes) this.sum = (this.sum * 31 + byte) >>> 0;
    };
    this.during(() =>
      connection.start({
        connected: () => this.add("connected"),
        data: (bytes) => {
          this.add("data");
          take(bytes);
          return this.answer();
        },
        places: () => places = this.places(),
        filled: (size) => {
          this.add("filled");
          for (const place of places!) {
            const bytes = place.subarray(0, size);
            size -= bytes.length;
            take(bytes);
          }
          return this.answer();
        },
        ended: () => this.add("ended"),
        drained: () => this.add("drained"),
        closed: (error) => {
          this.error = error;
          this.add("closed");
        },
      })
    );
  }
  add(event: string): void {
    this.events.push(event);
    if (this.inside) this.synchronous = true;
  }
  /** No event may come while this runs. */
  during<T>(call: () => T): T {
    this.inside = true;
    try {
      return call();
    } finally {
      this.inside = false;
    }
  }
  has(event: string): boolean {
    return this.events.includes(event);
  }
}

const hosts: [string, Host][] = isDeno
  ? [["deno", denoHost()]]
  : [["node", nodeHost]];

for (const [name, host] of hosts) {
  const test = suite(`host ${name}`);
  const open: { close(): void }[] = [];
  test.after.each(() => {
    for (const thing of open.splice(0)) thing.close();
  });

  const listen = async (address: HostAddress): Promise<Listener> => {
    const listener = await within(host.listen(address, 10), "listen");
    open.push(listener);
    return listener;
  };
  const somewhere = (kind: "tcp" | "ipc"): HostAddress =>
    kind === "tcp"
      ? { kind, host: "127.0.0.1", port: 0, family: 4 }
      : { kind, path: freshPath() };

  /** Both ends of a new connection. */
  const pair = async (kind: "tcp" | "ipc") => {
    const address = somewhere(kind);
    const listener = await listen(address);
    let accepted: Log | undefined;
    listener.start((connection) => accepted = new Log(connection));
    const target = kind === "tcp"
      ? { ...address, port: listener.local!.port } as HostAddress
      : address;
    const client = new Log(host.connect(target));
    await until(() => accepted && client.has("connected"), "a connection");
    open.push(client.connection, accepted!.connection);
    return [client, accepted!] as const;
  };
  const failure = async (address: HostAddress): Promise<HostError> => {
    const log = new Log(host.connect(address));
    await until(() => log.has("closed"), "the failure");
    assert.equal(log.events, ["closed"]);
    assert.is(log.synchronous, false);
    return log.error!;
  };

  for (const kind of ["tcp", "ipc"] as const) {
    test(`${kind}: addresses, data both ways, the end`, async () => {
      const [client, server] = await pair(kind);
      if (kind === "tcp") {
        assert.equal(client.connection.local, server.connection.remote);
        assert.equal(client.connection.remote, server.connection.local);
        assert.is(client.connection.remote!.host, "127.0.0.1");
      } else assert.is(client.connection.remote, undefined);
      for (const [from, to] of [[client, server], [server, client]] as const) {
        from.during(() => from.connection.write(Uint8Array.of(1, 2, 3)));
        await until(() => to.bytes === 3, "three bytes");
        assert.is(to.sum, (1 * 31 + 2) * 31 + 3);
      }
      server.during(() => server.connection.close());
      await until(() => client.has("ended") || client.has("closed"), "the end");
      const seen = server.events.length;
      client.connection.write(Uint8Array.of(4));
      await pause(20);
      assert.is(server.events.length, seen, "nothing after our own close");
      assert.is(client.synchronous || server.synchronous, false);
    });

    test(`${kind}: memory is held until drained, much arrives whole`, async () => {
      const [client, server] = await pair(kind);
      const chunk = new Uint8Array(65_536);
      let sent = 0, held = 0, sum = 0;
      while (sent < 6_000_000) {
        for (let i = 0; i < chunk.length; i++) chunk[i] = (i * 7 + sent) & 255;
        for (const byte of chunk) sum = (sum * 31 + byte) >>> 0;
        const drains = client.events.length;
        if (!client.during(() => client.connection.write(chunk))) {
          held++;
          await until(
            () => client.events.indexOf("drained", drains) >= 0,
            "drained",
          );
        }
        sent += chunk.length;
      }
      await until(() => server.bytes === sent, "all of it");
      assert.is(server.sum, sum);
      assert.is(client.events.filter((it) => it === "drained").length, held);
      assert.is(client.synchronous || server.synchronous, false);
    });

    test(`${kind}: writes in one turn, small and large, in order, also before the end`, async () => {
      const [client, server] = await pair(kind);
      let sent = 0, sum = 0, held = 0;
      for (const size of [20, 20, 2048, 1, 2049, 70_000, 3, 70_000, 5]) {
        const chunk = new Uint8Array(size).map((_, i) => i * 7 + sent);
        for (const byte of chunk) sum = (sum * 31 + byte) >>> 0;
        sent += size;
        const drains = client.events.length;
        if (client.during(() => client.connection.write(chunk))) chunk.fill(0);
        else {
          held++;
          await until(
            () => client.events.indexOf("drained", drains) >= 0,
            "drained",
          );
        }
      }
      assert.is(client.events.filter((it) => it === "drained").length, held);
      await until(() => server.bytes === sent, "all of it");
      // What is still on its way when we close arrives before the end.
      for (const size of [4, 30_000]) {
        const chunk = new Uint8Array(size).map((_, i) => i * 5 + size);
        for (const byte of chunk) sum = (sum * 31 + byte) >>> 0;
        sent += size;
        client.during(() => client.connection.write(chunk));
      }
      client.during(() => client.connection.close());
      await until(() => server.has("ended"), "the end");
      assert.is(server.bytes, sent);
      assert.is(server.sum, sum);
      assert.is(client.synchronous || server.synchronous, false);
    });

    test(`${kind}: pause stops the peer, resume goes on`, async () => {
      const [client, server] = await pair(kind);
      server.during(() => server.connection.pause());
      const chunk = new Uint8Array(65_536);
      let sent = 0;
      // Until the kernel takes no more.
      for (;;) {
        sent += chunk.length;
        if (client.connection.write(chunk)) continue;
        const before = client.events.length;
        const drained = () => client.events.length > before;
        for (let i = 0; i < 100 && !drained(); i++) await pause(1);
        if (!drained()) break;
      }
      assert.ok(server.events.filter((it) => it === "data").length <= 2);
      assert.ok(sent > server.bytes);
      server.during(() => server.connection.resume());
      await until(() => server.bytes === sent, "the rest");
      assert.is(server.synchronous, false);
    });

    test(`${kind}: in order through pauses amid data, wherever it is read to`, async () => {
      const [client, server] = await pair(kind);
      let calls = 0;
      server.answer = () => {
        if (++calls % 3 === 0) {
          server.connection.pause();
          setImmediate(() => server.connection.resume());
        }
        return calls % 2 === 0 ? new Uint8Array(100_000) : undefined;
      };
      server.places = () =>
        calls % 4 < 2
          ? [9, 70_000, 1, 200_000].map((size) => new Uint8Array(size))
          : undefined;
      const chunk = new Uint8Array(300_000);
      let sent = 0, sum = 0;
      while (sent < 9_000_000) {
        for (let i = 0; i < chunk.length; i++) chunk[i] = (i * 7 + sent) & 255;
        for (const byte of chunk) sum = (sum * 31 + byte) >>> 0;
        sent += chunk.length;
        const drains = client.events.length;
        if (client.connection.write(chunk)) continue;
        await until(
          () => client.events.indexOf("drained", drains) >= 0,
          "drained",
        );
      }
      await until(() => server.bytes === sent, "all of it");
      // Deno itself reads to one place only; who may call the C library, to several.
      assert.is(server.has("filled"), !isDeno || (kind === "tcp" && callsC));
      assert.is(server.sum, sum);
      assert.is(client.synchronous || server.synchronous, false);
    });

    test(`${kind}: what was written before close arrives`, async () => {
      const [client, server] = await pair(kind);
      let sent = 0;
      const chunk = new Uint8Array(65_536).fill(5);
      while (client.connection.write(chunk)) {
        sent += chunk.length;
        if (sent > 5_000_000) break;
      }
      sent += sent > 5_000_000 ? 0 : chunk.length;
      client.connection.close();
      await until(() => server.has("ended"), "the end");
      assert.ok(Math.abs(server.bytes - sent) <= chunk.length);
      assert.ok(server.bytes >= sent - (sent > 5_000_000 ? chunk.length : 0));
    });

    test(`${kind}: a listener that is closed accepts nobody`, async () => {
      const address = somewhere(kind);
      const listener = await listen(address);
      const target = kind === "tcp"
        ? { ...address, port: listener.local!.port } as HostAddress
        : address;
      listener.start(() => {});
      listener.close();
      listener.close();
      // Bound again at once.
      const again = await listen(target);
      again.close();
    });
  }

  test("failures are HostErrors with a code and a sentence", async () => {
    const busy = await listen(somewhere("tcp"));
    const refused = await freePort();
    const tcp = (host: string, port: number): HostAddress => ({
      kind: "tcp",
      host,
      port,
      family: 0,
    });
    const cases: [string, Promise<HostError>, RegExp][] = [
      [
        "busy",
        host.listen(tcp("127.0.0.1", busy.local!.port), 1).then(
          () => assert.unreachable(),
          (e) => e,
        ),
        /^EADDRINUSE$/,
      ],
      [
        "foreign",
        host.listen(tcp("192.0.2.1", 0), 1).then(
          () => assert.unreachable(),
          (e) => e,
        ),
        /^EADDRNOTAVAIL$/,
      ],
      [
        "no folder",
        host.listen({ kind: "ipc", path: `${freshPath()}/x` }, 1).then(
          () => assert.unreachable(),
          (e) => e,
        ),
        /^ENOENT$/,
      ],
      [
        "long path",
        host.listen({ kind: "ipc", path: "/run/".padEnd(108, "x") }, 1).then(
          () => assert.unreachable(),
          (e) => e,
        ),
        /^ENAMETOOLONG$/,
      ],
      [
        "unknown",
        host.resolve("no.such.name.invalid", 0).then(
          () => assert.unreachable(),
          (e) => e,
        ),
        /^(ENOTFOUND|EAI_AGAIN)$/,
      ],
      ["refused", failure(tcp("127.0.0.1", refused)), /^ECONNREFUSED$/],
      [
        "port 0",
        failure(tcp("127.0.0.1", 0)),
        /^(ECONNREFUSED|EADDRNOTAVAIL)$/,
      ],
      [
        "no name",
        failure(tcp("no.such.name.invalid", 80)),
        /^(ENOTFOUND|EAI_AGAIN)$/,
      ],
      ["no socket", failure({ kind: "ipc", path: freshPath() }), /^ENOENT$/],
      [
        "long",
        failure({ kind: "ipc", path: "/run/".padEnd(108, "x") }),
        /^ENAMETOOLONG$/,
      ],
    ];
    for (const [what, promise, code] of cases) {
      const error = await within(promise, what);
      assert.instance(error, HostError, what);
      assert.match(error.code, code, `${what}: ${error.message}`);
      assert.match(error.message, /: \w+ \w+/, what);
    }
  });

  test("names, interfaces, files, numbers", async () => {
    assert.equal(await host.resolve("localhost", 4), ["127.0.0.1"]);
    const lo = host.interfaces().find(({ address }) => address === "127.0.0.1");
    assert.is(lo?.family, 4);
    const made = host.makeTempDir();
    host.removeTempDir(made);
    assert.is(thrown(() => host.removeTempDir(made)).code, "ENOENT");
    assert.is(host.errno("EACCES"), 13);
    assert.is(host.errno("ENONSENSE"), undefined);
    const bytes = new Uint8Array(100_000);
    host.random(bytes);
    assert.ok(new Set(bytes).size === 256 && bytes.slice(-99).some(Boolean));
    const before = host.now();
    await pause(5);
    assert.ok(host.now() - before >= 3);
  });

  test("soon comes after microtasks, later after timers, a timer once", async () => {
    const order: string[] = [];
    await new Promise<void>((done) => {
      host.later(() => {
        order.push("later");
        done();
      });
      host.soon(() => order.push("soon"));
      queueMicrotask(() => order.push("microtask"));
      order.push("now");
    });
    assert.is(order[0], "now");
    assert.is(order.at(-1), "later");
    assert.equal([...order].sort(), ["later", "microtask", "now", "soon"]);
    let fired = 0;
    const timers = [
      host.setTimer(() => fired++, 5),
      host.setTimer(() => fired += 10, 5),
    ];
    timers[1]!.cancel();
    await until(() => fired > 0, "the timer");
    await pause(10);
    assert.is(fired, 1);
    const release = host.keepAlive();
    release();
    release();
  });

  test.run();
}
