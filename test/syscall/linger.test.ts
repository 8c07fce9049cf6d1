/** How long what a host still holds of a closed socket may take: the linger of the socket. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Connection,
  Context,
  defaultHost,
  type Host,
  Pull,
  Push,
} from "zeromq-wasm";
import { lingerOf } from "../../ts/host/linger.ts";
import { anywhere, closeAll, next, until, use } from "../socket/tools.ts";
import { table } from "./table.ts";

const test = suite("linger");
test.after.each(closeAll);

test("the milliseconds of a linger: some at least, half a minute at most", () => {
  assert.equal(
    [-1, 0, 99, 100, 400, 30_000, 2 ** 31 - 1].map(lingerOf),
    [30_000, 100, 100, 100, 400, 30_000, 30_000],
  );
});

test("the fd table tells a connection that is closed", () => {
  for (const [linger, told] of [[0, 100], [400, 400], [undefined, 30_000]]) {
    const { fds } = table();
    const got: unknown[] = [];
    const connection: Connection = {
      local: undefined,
      remote: undefined,
      start() {},
      write: () => true,
      pause() {},
      resume() {},
      setNoDelay() {},
      setKeepAlive() {},
      close: (linger) => void got.push(linger),
    };
    fds.outside.set("/peer", () => connection);
    fds.connect(7, 1, "/peer", 0, undefined);
    fds.close(7, linger);
    assert.equal(got, [told]);
  }
});

test("a socket's linger reaches the host", async () => {
  const inner = defaultHost();
  const got: unknown[] = [];
  const host: Host = Object.create(inner, {
    connect: {
      value: (address: Parameters<Host["connect"]>[0]) => {
        const connection = inner.connect(address);
        const close = connection.close.bind(connection);
        connection.close = (linger) => {
          got.push(linger);
          close(linger);
        };
        return connection;
      },
    },
  });
  for (const [linger, told] of [[0, 100], [400, 400], [-1, 30_000]] as const) {
    const pull = use(new Pull({ context: new Context() }));
    await pull.bind(anywhere("tcp"));
    const push = use(new Push({ context: new Context({ host }), linger }));
    push.connect(pull.lastEndpoint!);
    await push.send("x");
    assert.equal(await next(pull), ["x"]);
    push.close();
    await until(() => got.length > 0, "the end of the connection");
    assert.equal(got.splice(0), [told], `${linger}`);
  }
});

test.run();
