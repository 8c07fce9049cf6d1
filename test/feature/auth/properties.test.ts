/** What a server learns of its clients: User-Id and metadata of each message. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pull, Push } from "zeromq-wasm";
import { Certificate } from "zeromq-wasm/auth";
import { within } from "../../support/deadline.ts";
import { withAuthenticator } from "./tools.ts";

const test = suite("properties");

test("messages tell who sent them: by default, and as the check says", () =>
  withAuthenticator(async ({ authenticator, context }) => {
    const keys = Certificate.create();
    const client = Certificate.create();
    authenticator.configurePlain({ passwords: { alice: "x" } });
    const cases = [
      [{ plainServer: true }, { plainUsername: "alice", plainPassword: "x" }, {
        "User-Id": "alice",
      }],
      [{}, {}, { "User-Id": "anonymous" }],
      [{ curveServer: true }, { curveServerKey: keys.publicKey }, {
        "User-Id": client.publicKey,
      }],
      [{ curveServer: true }, { curveServerKey: keys.publicKey }, {
        "User-Id": "number 7",
        Role: "boss",
        Team: "blå",
      }],
    ] as const;
    for (const [mine, theirs, expected] of cases) {
      const named = "Role" in expected;
      await authenticator.configureCurve(
        named
          ? {
            check: () => ({
              status: 200,
              userId: "number 7",
              metadata: { Role: "boss", Team: "blå" },
            }),
          }
          : { keys: [client.publicKey] },
      );
      const server = new Pull({ context, zapDomain: "d", ...mine });
      const push = new Push({ context, ...theirs });
      if ("curveServer" in mine) {
        keys.apply(server);
        client.apply(push);
      }
      await server.bind("tcp://127.0.0.1:*");
      push.connect(server.lastEndpoint!);
      await push.send("hello");
      const { properties } = await within(
        server.receiveWithProperties(),
        "a message",
      );
      for (const [name, value] of Object.entries(expected)) {
        assert.is(properties[name], value);
      }
      assert.is(properties["Peer-Address"], "127.0.0.1");
      assert.is(properties["Socket-Type"], "PUSH");
      server.close();
      push.close();
    }
  }));

test.run();
