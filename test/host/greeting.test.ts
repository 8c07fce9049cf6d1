/** Who is accepted at any moment of a long burst is greeted at once. */
import { connect, type Socket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, defaultHost, type Host, Push, Router } from "zeromq-wasm";
import { bound, closeAll, use, within } from "../socket/tools.ts";

const test = suite("greeting");
test.after.each(closeAll);

/** The first bytes that the listener says, or that it hangs up. */
function greeting(peer: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    peer.once("data", (bytes) => resolve(bytes[0]!));
    peer.once("close", () => reject(new Error("closed")));
    peer.once("error", reject);
  });
}

test("a connection that comes when a long burst ends", async () => {
  let before = (): void => {};
  const real = defaultHost();
  const host: Host = {
    ...real,
    async listen(address, backlog) {
      const listener = await real.listen(address, backlog);
      return {
        local: listener.local,
        start: (accept) =>
          listener.start((connection) => {
            before();
            accept(connection);
          }),
        close: () => listener.close(),
      };
    },
  };
  const context = new Context({ host });
  const router = use(new Router({ context, linger: 0 }));
  const other = use(new Push({ context, linger: 0 }));
  other.connect("inproc://nobody");
  const port = Number((await bound(router)).split(":").at(-1));
  // The connection is the last of a burst of 256, and of others.
  for (const work of [0, 1, 100, 253, 254, 255, 256, 257, 511, 512, 1000]) {
    before = () => {
      for (let i = 0; i < work; i++) void other.writable;
    };
    const peer = connect(port, "127.0.0.1");
    const first = await within(greeting(peer), `a greeting after ${work}`);
    assert.is(first, 0xff);
    peer.destroy();
  }
});

test.run();
