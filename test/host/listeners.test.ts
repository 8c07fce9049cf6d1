/** What the package listens to of the process, for as long as that is of use. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runProgram } from "../socket/tools.ts";

const test = suite("listeners");

/** Of a program with the package as `z`: all that sockets at an address need. */
const EXCHANGE = `
  async function exchange(z, address) {
    const pull = new z.Pull(), push = new z.Push();
    await pull.bind(address);
    push.connect(pull.lastEndpoint);
    await push.send(address);
    await pull.receive();
    await push[Symbol.asyncDispose]();
    await pull[Symbol.asyncDispose]();
  }`;

test("modules that were loaded again leave none behind", async () => {
  const { out } = await runProgram(`
    import process from "node:process";
    ${EXCHANGE}
    const count = () =>
      ["beforeExit", "exit", "workerMessage"].reduce((sum, event) => sum + process.listenerCount(event), 0);
    const before = count();
    for (let i = 0; i < 12; i++) {
      const again = await import(import.meta.resolve("zeromq-wasm") + "?" + i);
      for (const address of ["tcp://127.0.0.1:*", "ipc://*", "inproc://name" + i]) {
        await exchange(again, address);
      }
    }
    console.log(count() > before);
    while (count() > before) await new Promise((done) => setTimeout(done, 5));
    console.log("none");`);
  assert.is(out, "true\nnone\n");
});

test("a module that has none goes on", async () => {
  const { out, err } = await runProgram(`
    import process from "node:process";
    ${EXCHANGE}
    const before = process.listenerCount("beforeExit");
    for (const address of ["tcp://127.0.0.1:*", "ipc://*", "inproc://name"]) {
      while (process.listenerCount("beforeExit") > before) {
        await new Promise((done) => setTimeout(done, 5));
      }
      await exchange(z, address);
    }
    const push = new z.Push(), pull = new z.Pull();
    await pull.bind("tcp://127.0.0.1:*");
    push.connect(pull.lastEndpoint);
    process.once("beforeExit", async () => {
      await push.send("end");
      console.log(String(await pull.receive()));
    });`);
  assert.is(err, "");
  assert.is(out, "end\n");
});

test.run();
