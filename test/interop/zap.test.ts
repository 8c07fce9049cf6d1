/** Who may connect: a ZAP handler of ours about native clients, pyzmq's about ours. */
import * as assert from "uvu/assert";
import { Context, curveKeyPair, Dealer, Reply, Router } from "zeromq-wasm";
import { within } from "../support/deadline.ts";
import {
  type Keys,
  Ours,
  ourSecurity,
  same,
  Theirs,
  theirSecurity,
} from "../support/ends.ts";
import { checkLeaks } from "../support/leaks.ts";
import { type CurveKeys, Peer } from "../support/peer.ts";
import { interopSuite } from "../support/python.ts";
import { type Decision, ZapHandler } from "../support/zap.ts";

const test = interopSuite("zap");
checkLeaks(test);

let peer: Peer;
let theirKeys: CurveKeys;
test.before(async () => {
  peer = await Peer.start();
  theirKeys = await peer.curveKeyPair();
});

const ADDRESS = "tcp://127.0.0.1:*";

/** A server of ours with a handler that answers `status`, in a context of their own. */
async function withOurServer(
  what: string,
  status: Decision,
  Type: typeof Router | typeof Reply,
  options: Record<string, unknown>,
  use: (server: Dealer, address: string, zap: ZapHandler) => Promise<void>,
): Promise<void> {
  const context = new Context();
  const zap = await ZapHandler.start(() => status, { context, Type });
  const server = new Dealer({ context, linger: 0, ...options });
  try {
    await server.bind(ADDRESS);
    await within(use(server, server.lastEndpoint!, zap), what);
  } finally {
    server.close();
    zap.close();
  }
}

for (const Type of [Router, Reply]) {
  for (const mechanism of ["NULL", "PLAIN", "CURVE"] as const) {
    for (const status of ["200", "400", "500"] as const) {
      const what = `a ${Type.name} of ours says ${status} about ${mechanism}`;
      test(what, async () => {
        const keys: Keys = { server: curveKeyPair(), client: theirKeys };
        // A domain is what makes a NULL server ask at all.
        const options = {
          ...ourSecurity(mechanism, true, keys),
          zapDomain: "test",
        };
        const security = theirSecurity(mechanism, false, keys);
        await withOurServer(
          what,
          status,
          Type,
          options,
          async (server, at, zap) => {
            const client = await Theirs.create(peer, "DEALER", {
              ...security,
              ROUTING_ID: "client",
            });
            try {
              await client.socket.monitor();
              await client.connect(at);
              if (status === "200") {
                await client.send(["let me in"]);
                const message = await server.receive();
                assert.is(String(message), "let me in", what);
                await server.send("welcome");
                same(await client.receive(), ["welcome"], what);
              } else {
                const value = await client.socket.event(
                  "HANDSHAKE_FAILED_AUTH",
                );
                assert.is(value, Number(status), what);
              }
            } finally {
              await client.close();
            }
            const [asked] = zap.asked;
            assert.is(asked!.mechanism, mechanism, what);
            assert.is(asked!.domain, "test", what);
            assert.is(asked!.address, "127.0.0.1", what);
            const credentials = asked!.credentials.map(String);
            if (mechanism === "PLAIN") {
              assert.equal(credentials, ["user", "password"], what);
            }
            if (mechanism === "CURVE") {
              assert.is(asked!.credentials[0]!.length, 32, what);
            }
          },
        );
      });
    }
  }
}

for (const mechanism of ["NULL", "PLAIN", "CURVE"] as const) {
  const what = `a handler of ours says 300 about ${mechanism}, then 200`;
  test(what, async () => {
    const keys: Keys = { server: curveKeyPair(), client: theirKeys };
    const context = new Context();
    let asked = 0;
    const zap = await ZapHandler.start(() => asked++ ? "200" : "300", {
      context,
    });
    const security = ourSecurity(mechanism, true, keys);
    const server = new Dealer({ context, linger: 0, ...security });
    server.zapDomain = "test";
    const client = await Theirs.create(peer, "DEALER", {
      ...theirSecurity(mechanism, false, keys),
    });
    try {
      await server.bind(ADDRESS);
      await client.socket.monitor();
      await client.connect(server.lastEndpoint!);
      // Long before the time for the handshake is over, and without a word.
      await client.socket.event("HANDSHAKE_FAILED_NO_DETAIL");
      await client.socket.event("CONNECT_RETRIED");
      await client.socket.event("HANDSHAKE_SUCCEEDED");
      await client.send(["let me in"]);
      const message = await within(server.receive(), what);
      assert.is(String(message), "let me in");
      assert.is(asked, 2);
    } finally {
      await client.close();
      server.close();
      zap.close();
    }
  });
}

for (const mechanism of ["PLAIN", "CURVE"] as const) {
  for (const accepted of [true, false]) {
    const what =
      `pyzmq's authenticator ${accepted ? "accepts" : "refuses"} us, ` +
      mechanism;
    test(what, async () => {
      const keys: Keys = { server: theirKeys, client: curveKeyPair() };
      const { publicKey } = accepted ? keys.client : curveKeyPair();
      const password = accepted ? "password" : "other";
      await peer.authenticate({ user: password }, [publicKey]);
      const server = await Theirs.create(
        peer,
        "DEALER",
        theirSecurity(mechanism, true, keys),
      );
      const client = new Ours("DEALER", ourSecurity(mechanism, false, keys));
      const { events } = client.socket;
      const run = async () => {
        await server.socket.monitor();
        await client.connect(await server.bind(ADDRESS));
        if (accepted) {
          await client.send(["let me in"]);
          same(await server.receive(), ["let me in"], what);
          await server.send(["welcome"]);
          same(await client.receive(), ["welcome"], what);
          return;
        }
        for await (const event of events) {
          if (event.type !== "handshake:error:auth") continue;
          assert.is(event.error.status, 400, what);
          break;
        }
        await server.socket.event("HANDSHAKE_FAILED_AUTH");
      };
      try {
        await within(run(), what);
      } finally {
        events.close();
        client.close();
        await server.close();
      }
    });
  }
}

test("a wrong server key does not get through", async () => {
  const keys: Keys = { server: theirKeys, client: curveKeyPair() };
  const server = await Theirs.create(
    peer,
    "DEALER",
    theirSecurity("CURVE", true, keys),
  );
  const client = new Ours(
    "DEALER",
    ourSecurity("CURVE", false, { ...keys, server: curveKeyPair() }),
  );
  try {
    await server.socket.monitor();
    await client.connect(await server.bind(ADDRESS));
    await server.socket.event("HANDSHAKE_FAILED_PROTOCOL");
  } finally {
    client.close();
    await server.close();
  }
});

for (const ourMechanism of ["NULL", "PLAIN"] as const) {
  const what = `our ${ourMechanism} and their CURVE do not get through`;
  test(what, async () => {
    const keys: Keys = { server: theirKeys, client: curveKeyPair() };
    const server = await Theirs.create(
      peer,
      "DEALER",
      theirSecurity("CURVE", true, keys),
    );
    const client = new Ours("DEALER", ourSecurity(ourMechanism, false, keys));
    const { events } = client.socket;
    const run = async () => {
      await client.connect(await server.bind(ADDRESS));
      for await (const { type } of events) {
        assert.is.not(type, "handshake", what);
        // Which error depends on who closes first.
        if (type.startsWith("handshake:error")) break;
      }
    };
    try {
      await within(run(), what);
    } finally {
      events.close();
      client.close();
      await server.close();
    }
  });
}

test.run();
