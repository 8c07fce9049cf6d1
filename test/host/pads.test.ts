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
import { closeAll, use, within } from "../socket/tools.ts";

const test = suite("pads");
test.after.each(closeAll);

test("pads for what takes long are larger", () => {
  for (const readsOn of [true, false]) {
    const places = new Places(readsOn, () => undefined);
    const usual = places.next();
    assert.is(usual.length, 65536);
    places.takesLong = true;
    assert.ok(places.next().length > 2 * usual.length);
    // All share it.
    const other = new Places(readsOn, () => undefined);
    other.takesLong = true;
    assert.is(other.next(), places.next());
    other.takesLong = false;
    assert.is(other.next(), usual);
  }
});

/** What the accepted connection of a PULL was told when this message has come. */
async function told(size: number, isSecure: boolean): Promise<boolean> {
  const inner = defaultHost();
  let accepted: Connection | undefined;
  const watch = (listener: Listener) => {
    const start = listener.start.bind(listener);
    listener.start = (onConnection) =>
      start((connection) => onConnection(accepted = connection));
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
  return accepted!.takesLong ?? false;
}

test("large messages that are decrypted do, others do not", async () => {
  assert.is(await told(65536, true), true);
  for (const other of [[16, true], [16384, true], [65536, false]] as const) {
    assert.is(await told(...other), false, String(other));
  }
});

test.run();
