/** A server that refuses and is gone before we have said a word: its reason still counts. */
// bun: no, it takes a connection to an ipc peer that is gone meanwhile for one that failed
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Dealer } from "zeromq-wasm";
import { command, greeting } from "../patches/zmtp.ts";
import {
  closeAll,
  freePort,
  freshPath,
  until,
  use,
  within,
} from "../socket/tools.ts";

/** Serves one client: says its words, ends, and leaves a mark. */
const SERVER = `
  const [at, ready, mark, words] = process.argv.slice(1);
  const { writeFileSync } = require("node:fs");
  const server = require("node:net").createServer((socket) => {
    server.close();
    socket.on("close", () => writeFileSync(mark, ""));
    socket.end(Buffer.from(words, "hex"), () => socket.destroy());
  }).listen(JSON.parse(at), () => writeFileSync(ready, ""));`;

const test = suite("refusal");
test.after.each(closeAll);

for (const kind of ["tcp", "ipc"]) {
  test(`refused over ${kind}, and gone`, async () => {
    const port = await freePort(), path = freshPath();
    const ready = freshPath(), mark = freshPath();
    const words = Buffer.concat([
      greeting(),
      command("ERROR", [3], "400"),
    ]).toString("hex");
    const at = kind === "tcp" ? { port, host: "127.0.0.1" } : { path };
    const child = spawn("node", [
      ...["-e", SERVER, JSON.stringify(at), ready, mark, words],
    ], { stdio: "inherit" });
    use({ close: () => child.kill("SIGKILL") });
    await until(() => existsSync(ready), "a server");
    const dealer = use(
      new Dealer({
        linger: 0,
        reconnectInterval: -1,
      }),
    );
    const events = use(dealer.events);
    dealer.connect(
      kind === "tcp" ? `tcp://127.0.0.1:${port}` : `ipc://${path}`,
    );
    await within(events.receive(), "the attempt");
    // The event loop does not turn until the server has gone, if it can do without us.
    const end = performance.now() + 300;
    while (!existsSync(mark) && performance.now() < end);
    const seen: string[] = ["an attempt"];
    for (;;) {
      const event = await within(events.receive(), `more than ${seen}`);
      seen.push(event.type);
      if (event.type === "disconnect") break;
      if (event.type !== "handshake:error:auth") continue;
      assert.is(event.error.status, 400);
      return;
    }
    assert.unreachable(`only ${seen}`);
  });
}

test.run();
