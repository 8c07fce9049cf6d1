/**
 * Patches 0010 to 0013 mend faults of udp, which no socket can reach as yet. When
 * this fails, udp has come, and the four need tests of their own.
 */
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { Context } from "zeromq-wasm";
import { failure } from "../support/deadline.ts";
import { draftSocket } from "./hostile.ts";

const test = suite("udp");

for (
  const [name, type] of [["RADIO", 14], ["DISH", 15], ["DGRAM", 18]] as const
) {
  test(`${name} takes no udp endpoint`, async () => {
    const context = new Context({ blocky: false });
    const socket = draftSocket(type, { context });
    try {
      const bound = await failure(
        () => socket.bind("udp://127.0.0.1:*"),
        "bind",
      );
      assert.is(bound.code, "EPROTONOSUPPORT");
      const connected = await failure(
        () => socket.connect("udp://127.0.0.1:9"),
        "connect",
      );
      assert.is(connected.code, "EPROTONOSUPPORT");
    } finally {
      socket.close();
    }
  });
}

test.run();
