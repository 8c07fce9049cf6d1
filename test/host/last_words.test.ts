/**
 * A peer says something and goes away at once. That our own writes then fail must not lose it:
 * it is often the reason.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { denoHost } from "../../ts/host/deno.ts";
import type { Connection, HostAddress } from "../../ts/host/host.ts";
import { nodeHost } from "../../ts/host/node.ts";
import { freshPath, isDeno, PATIENCE_MS, within } from "../socket/tools.ts";

const host = isDeno ? denoHost() : nodeHost;
const WORDS = "last words ".repeat(3000);

/** Connects, says the words, ends, and leaves a mark. */
const PEER = `
  const [to, mark, words] = process.argv.slice(1);
  const socket = require("node:net").connect(JSON.parse(to), () =>
    socket.end(words, () => {
      socket.destroy();
      socket.on("close", () => require("node:fs").writeFileSync(mark, ""));
    }));`;

const test = suite("last words");

// What the host does keeps no process alive by itself; who waits for it does.
let letGo = () => {};
test.before(() => void (letGo = host.keepAlive()));
test.after(() => letGo());

for (const kind of ["tcp", "ipc"] as const) {
  for (const writes of [1, 2, 3]) {
    test(`${kind}: ${writes} writes after the peer has gone`, async () => {
      const path = freshPath(), mark = freshPath();
      const address: HostAddress = kind === "tcp"
        ? { kind, host: "127.0.0.1", port: 0, family: 4 }
        : { kind, path };
      const listener = await host.listen(address, 10);
      let connection!: Connection;
      const events: string[] = [];
      let heard = "";
      const over = new Promise<void>((resolve) => {
        listener.start((accepted) => {
          connection = accepted;
          accepted.start({
            connected() {},
            data: (bytes) => {
              events.push("data");
              heard += String.fromCharCode(...bytes);
            },
            places: () => undefined,
            filled: () => undefined,
            ended: () => {
              events.push("ended");
              resolve();
            },
            drained() {},
            closed: () => {
              events.push("closed");
              resolve();
            },
          });
          // The event loop does not turn until the peer has gone.
          const end = performance.now() + PATIENCE_MS;
          while (!existsSync(mark) && performance.now() < end);
          for (let i = 0; i < writes; i++) {
            accepted.write(Uint8Array.of(1, 2, 3));
          }
          assert.equal(events, [], "nothing is told during a write");
        });
      });
      const to = JSON.stringify(
        kind === "tcp" ? { port: listener.local!.port } : { path },
      );
      const child = spawn("node", ["-e", PEER, to, mark, WORDS], {
        stdio: "inherit",
      });
      try {
        await within(over, "the end");
        assert.is(heard.length, WORDS.length);
        assert.is(heard, WORDS);
      } finally {
        child.kill("SIGKILL");
        connection?.close();
        listener.close();
      }
    });
  }
}

test.run();
