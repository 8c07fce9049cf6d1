/** Names, ports and paths that are not there for a while. */
import { createServer as tcpServer, type Socket as Tcp } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Connection,
  type ConnectionEvents,
  Context,
  defaultHost,
  type Host,
  HostError,
  Pull,
  Push,
} from "zeromq-wasm";
import { bound, closeAll, until, use } from "../socket/tools.ts";
import { Traffic } from "./tools.ts";

const test = suite("names");
test.after.each(closeAll);

/** A connection that fails as a resolver does. */
function unresolved(code: string): Connection {
  return {
    local: undefined,
    remote: undefined,
    start: (events: ConnectionEvents) =>
      void setTimeout(() => events.closed(new HostError(code, "no such name"))),
    write: () => true,
    pause() {},
    resume() {},
    setNoDelay() {},
    setKeepAlive() {},
    close() {},
  };
}

test("a name cannot be resolved, then it can, then it is another address", async () => {
  const inner = defaultHost();
  let answer: string | number = "EAI_AGAIN", asked = 0;
  const host: Host = Object.create(inner, {
    connect: {
      value: (address: Parameters<Host["connect"]>[0]) => {
        if (address.kind !== "tcp") return inner.connect(address);
        assert.is(address.host, "service.test");
        asked++;
        if (typeof answer === "string") return unresolved(answer);
        return inner.connect({ ...address, host: "127.0.0.1", port: answer });
      },
    },
  });
  const push = use(
    new Push({
      context: new Context({ host }),
      linger: 0,
      reconnectInterval: 10,
    }),
  );
  push.connect("tcp://service.test:5555");
  for (const code of ["EAI_AGAIN", "ENOTFOUND"]) {
    answer = code;
    const before = asked;
    await until(() => asked > before + 2, "some attempts");
  }
  const ports = [];
  const pulls = [use(new Pull()), use(new Pull())] as const;
  for (const pull of pulls) {
    ports.push(Number(/\d+$/.exec(await bound(pull))![0]));
  }
  answer = ports[0]!;
  const first = new Traffic(push, pulls[0]);
  await first.flows("once there is an address");
  await first.stop();
  answer = ports[1]!;
  pulls[0].close();
  await until(() => asked > 0 && !push.writable || push.writable, "noticed");
  const second = new Traffic(push, pulls[1]);
  await second.flows("at the other address");
  await second.stop();
});

test("a port is taken away, used by another, and given back", async () => {
  const push = use(new Push({ linger: 0, reconnectInterval: 10 }));
  const first = use(new Pull({ context: new Context() }));
  const endpoint = await bound(first);
  push.connect(endpoint);
  const before = new Traffic(push, first);
  await before.flows("at first");
  await before.stop();
  first.close();
  // Whoever has the port now speaks something else.
  const foreign: Tcp[] = [];
  let visits = 0;
  const server = tcpServer((socket) => {
    foreign.push(socket);
    visits++;
    socket.on("error", () => {}).resume();
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  const port = Number(/\d+$/.exec(endpoint)![0]);
  await until(() =>
    new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    }), "the port is free");
  const lost = new Context();
  const probe = use(
    new Push({ context: lost, linger: 0, reconnectInterval: 10 }),
  );
  probe.connect(endpoint);
  await until(() => visits > 0, "a visit");
  for (const socket of foreign) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  const again = use(new Pull({ context: new Context() }));
  await until(() => again.bind(endpoint).then(() => true, () => false), "bind");
  // What met the other speaker is told; who connects now is served.
  const fresh = use(new Push({ linger: 0, reconnectInterval: 10 }));
  fresh.connect(endpoint);
  const after = new Traffic(fresh, again);
  await after.flows("after it was given back");
  await after.stop();
});

test.run();
