/** What becomes of a peer when a handler says "later", or has much to say about it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, curveKeyPair, Pull, Push, Router } from "zeromq-wasm";
import { CURVE_ALLOW_ANY } from "zeromq-wasm/auth";
import { closeAll, use } from "../../socket/tools.ts";
import { within } from "../../support/deadline.ts";
import { event, withAuthenticator } from "./tools.ts";

const test = suite("answers");
test.after.each(closeAll);

const keys = curveKeyPair();
const ENDS = {
  PLAIN: [{ plainServer: true }, {
    plainUsername: "user",
    plainPassword: "password",
  }],
  CURVE: [{ curveServer: true, curveSecretKey: keys.secretKey }, {
    curveServerKey: keys.publicKey,
    curvePublicKey: keys.publicKey,
    curveSecretKey: keys.secretKey,
  }],
} as const;

/** A server in `context`, and a client that has sent it "hello" as soon as it is let in. */
function connected(context: Context, mechanism: keyof typeof ENDS) {
  const [mine, theirs] = ENDS[mechanism];
  const server = use(new Pull({ context, zapDomain: "d", linger: 0, ...mine }));
  const client = use(
    new Push({ context: new Context(), linger: 0, reconnectInterval: 1 }),
  );
  Object.assign(client, theirs);
  const connect = async () => {
    await server.bind("tcp://127.0.0.1:*");
    client.connect(server.lastEndpoint!);
    client.send("hello").catch(() => {});
  };
  return { server, client, connect };
}

for (const mechanism of ["PLAIN", "CURVE"] as const) {
  test(`${mechanism}: who is to come later is disconnected at once, and tries again`, () =>
    withAuthenticator(async ({ authenticator, context }) => {
      let asked = 0;
      const check = () => asked++ ? true : { status: 300 as const };
      authenticator.configurePlain({ check });
      await authenticator.configureCurve({ check });
      const { server, client, connect } = connected(context, mechanism);
      const told = event(server, "handshake:error:auth");
      const retried = event(client, "connect:retry");
      let refused = false;
      client.events.on("handshake:error:auth", () => refused = true);
      await connect();
      assert.is((await told).error.status, 300);
      await retried;
      const message = await within(server.receive(), "a message");
      assert.is(String(message), "hello");
      assert.is(asked, 2);
      assert.not.ok(refused, "it is not told why");
    }));

  test(`${mechanism}: who is refused is told so`, () =>
    withAuthenticator(async ({ authenticator, context }) => {
      for (const status of [400, 500] as const) {
        const check = () => ({ status });
        authenticator.configurePlain({ check });
        await authenticator.configureCurve({ check });
        const { client, connect } = connected(context, mechanism);
        const told = event(client, "handshake:error:auth");
        await connect();
        assert.is((await told).error.status, status);
      }
    }));
}

test("metadata that is large reaches the server", () =>
  withAuthenticator(async ({ authenticator, context }) => {
    const roles = "r".repeat(40_000);
    const metadata = { Roles: roles };
    authenticator.configurePlain({ check: () => ({ status: 200, metadata }) });
    await authenticator.configureCurve({ location: CURVE_ALLOW_ANY });
    const { server, connect } = connected(context, "PLAIN");
    await connect();
    const message = server.receiveWithProperties();
    const { frames, properties } = await within(message, "a message");
    assert.is(String(frames), "hello");
    assert.is(properties["Roles"], roles);
    use(new Pull({ context }));
  }));

test("a handler's metadata that is large and malformed is a protocol error", async () => {
  const context = new Context();
  const zap = use(new Router({ context, linger: 0 }));
  await zap.bind("inproc://zeromq.zap.01");
  const { server, connect } = connected(context, "PLAIN");
  const failed = event(server, "handshake:error:protocol");
  await connect();
  const [peer, , version, id] = await within(zap.receive(), "a request");
  const metadata = new Uint8Array(70_000).fill(65);
  await zap.send([peer!, "", version!, id!, "200", "OK", "user", metadata]);
  assert.is((await failed).error.code, "ERR_ZAP_INVALID_METADATA");
  // The context lives: the next one is let in.
  const [other, , , next] = await within(zap.receive(), "another request");
  await zap.send([other!, "", version!, next!, "200", "OK", "user", ""]);
  const message = await within(server.receive(), "a message");
  assert.is(String(message), "hello");
});

test.run();
