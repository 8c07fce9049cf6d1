/** Programs whose attempts to connect nobody answers. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as assert from "uvu/assert";
import { freePort, runProgram, within } from "../socket/tools.ts";
import { interopSuite, python } from "../support/python.ts";

const test = interopSuite("unanswered");

/** Listens where no more connections are taken: what is sent to connect is dropped. */
const FULL = `
import socket, time
listener = socket.create_server(("127.0.0.1", 0), backlog=0)
waiting = [socket.socket() for _ in range(8)]
for each in waiting:
    each.setblocking(False)
    each.connect_ex(listener.getsockname())
print(listener.getsockname()[1], flush=True)
time.sleep(600)
`;
let silent = "";
let stop = () => {};

test.before(async () => {
  const child = spawn(python!, ["-c", FULL], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  stop = () => void child.kill();
  const port = new Promise<string>((resolve) =>
    createInterface(child.stdout).once("line", resolve)
  );
  silent = `tcp://127.0.0.1:${await within(port, "the port")}`;
});
test.after(() => stop());

for (
  const [what, program] of Object.entries({
    "nothing to send": `kept.connect(address);`,
    "what may be lost": `kept.connect(address); await kept.send("lost");`,
    "several connections": `for (let i = 0; i < 5; i++) kept.connect(address);`,
  })
) {
  test(`a program with ${what} ends`, async () => {
    const { code, err } = await runProgram(`
      // Not to be collected, which would close it.
      globalThis.kept = new z.Push({ linger: 0 });
      const address = ${JSON.stringify(silent)};
      ${program}
      console.log("ready");`);
    assert.is(err, "");
    assert.is(code, 0);
  });
}

test("its handlers of beforeExit have an open socket", async () => {
  const { out, err } = await runProgram(`
    import process from "node:process";
    const pull = new z.Pull(), push = new z.Push({ linger: 0 });
    await pull.bind("inproc://end");
    push.connect(${JSON.stringify(silent)});
    process.once("beforeExit", async () => {
      push.disconnect(${JSON.stringify(silent)});
      push.connect("inproc://end");
      await push.send("end");
      console.log(String(await pull.receive()));
    });`);
  assert.is(err, "");
  assert.is(out, "end\n");
});

test("while the program waits for something an attempt goes on", async () => {
  const port = await freePort();
  const { out, err } = await runProgram(`
    import { createServer } from "node:net";
    const push = globalThis.kept = new z.Push({ linger: 0 });
    push.connect(${JSON.stringify(silent)});
    // Whatever keeps a program alive, for longer than an attempt has otherwise.
    const server = createServer().listen(${port}, "127.0.0.1");
    const pull = new z.Pull({ receiveTimeout: 1500 });
    await pull.bind("inproc://nobody");
    await pull.receive().catch(() => {});
    console.log(push.counters.reconnects);
    server.close();`);
  assert.is(err, "");
  assert.is(out, "0\n");
});

test.run();
