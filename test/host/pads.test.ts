/** How much is read at once: more where it takes long. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Connection,
  Context,
  curveKeyPair,
  defaultHost,
  type Host,
  type Listener,
  Pull,
  Push,
} from "zeromq-wasm";
import { Places } from "../../ts/host/node_reads.ts";
import { closeAll, isDeno, use, within } from "../socket/tools.ts";

const test = suite("pads");
test.after.each(closeAll);

test("pads for what takes long are larger, for some reads", () => {
  for (const readsOn of [true, false]) {
    const places = new Places(readsOn, () => undefined);
    const usual = places.next();
    assert.is(usual.length, 65536);
    places.takesLong();
    const large = places.next();
    assert.ok(large.length > 2 * usual.length);
    // All share it.
    const other = new Places(readsOn, () => undefined);
    other.takesLong();
    assert.is(other.next(), large);
    let reads = 1;
    while (places.next() === large) reads++;
    assert.is(reads, 16);
    assert.is(places.next(), usual);
  }
});

test("and not for what waits", () => {
  const places = new Places(true, () => undefined);
  const usual = places.next();
  places.takesLong();
  places.waits();
  assert.is(places.next(), usual);
});

/** Whether the connection that a PULL accepts is told that a message takes long. */
async function told(size: number, isSecure: boolean): Promise<boolean> {
  const inner = defaultHost();
  let isTold = false;
  const listen = (connection: Connection) => {
    const takesLong = connection.takesLong!.bind(connection);
    connection.takesLong = () => {
      isTold = true;
      takesLong();
    };
    return connection;
  };
  const watch = (listener: Listener) => {
    const start = listener.start.bind(listener);
    listener.start = (onConnection) =>
      start((connection) => onConnection(listen(connection)));
    return listener;
  };
  const host: Host = Object.create(inner, {
    listen: {
      value: async (...args: Parameters<Host["listen"]>) =>
        watch(await inner.listen(...args)),
    },
    listenSync: { value: undefined },
  });
  const server = curveKeyPair(), client = curveKeyPair();
  const pull = use(
    new Pull({
      context: new Context({ host }),
      ...isSecure && { curveServer: true, curveSecretKey: server.secretKey },
    }),
  );
  await pull.bind("tcp://127.0.0.1:*");
  const push = use(
    new Push({
      linger: 0,
      ...isSecure && {
        curveServerKey: server.publicKey,
        curvePublicKey: client.publicKey,
        curveSecretKey: client.secretKey,
      },
    }),
  );
  push.connect(pull.lastEndpoint!);
  await push.send(new Uint8Array(size));
  assert.is((await within(pull.receive(), "it"))[0]!.length, size);
  return isTold;
}

// Deno reads as much as it likes.
if (!isDeno) {
  test("large messages that are decrypted do, others do not", async () => {
    for (const size of [40_000, 65536, 2 ** 20]) {
      assert.is(await told(size, true), true, `${size} bytes`);
      assert.is(await told(size, false), false, `${size} bytes`);
    }
    for (const size of [16, 16384]) {
      assert.is(await told(size, true), false, `${size} bytes`);
    }
  });
}

test.run();
