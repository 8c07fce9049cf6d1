/** Web Workers, where the runtime has them: each has a library of its own. */
import * as process from "node:process";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Reply } from "zeromq-wasm";
import { bound, closeAll, use, within } from "../socket/tools.ts";

const test = suite("web workers");
test.after.each(closeAll);

interface WebWorker {
  onmessage: (event: { data: unknown }) => void;
  onerror: (event: { message: string }) => void;
  terminate(): void;
}
const { Worker } = globalThis as unknown as {
  Worker?: new (url: string, options: { type: "module" }) => WebWorker;
};
// Node has them by another name only.
const webTest = Worker ? test : test.skip;

const library = pathToFileURL(
  `${process.cwd()}/dist/${"Deno" in globalThis ? "deno" : "node"}.mjs`,
).href;

/** What the worker tells once it is done. */
function run(body: string): Promise<unknown> {
  const program = `import * as z from ${JSON.stringify(library)};
    try { postMessage(await (async () => { ${body} })()); }
    catch (error) { postMessage(String(error)); }`;
  const worker = new Worker!(
    `data:text/javascript,${encodeURIComponent(program)}`,
    { type: "module" },
  );
  const told = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  return within(told, "the worker").finally(() => worker.terminate());
}

for (const transport of ["inproc", "tcp", "ipc"] as const) {
  webTest(`a worker asks over ${transport}`, async () => {
    const reply = use(new Reply());
    const address = await bound(reply, transport);
    void (async () => {
      for await (const [text] of reply) await reply.send(`${text}!`);
    })();
    const answer = await run(`
      const request = new z.Request({ linger: 0 });
      request.connect(${JSON.stringify(address)});
      await request.send("hello");
      const [text] = await request.receive();
      request.close();
      return String(text);
    `);
    assert.is(answer, "hello!");
  });
}

const { Bun } = globalThis as { Bun?: { gc(now: boolean): void } };
const bunTest = Bun ? test : test.skip;

bunTest("a collection does not end a connection over inproc", async () => {
  const reply = use(new Reply());
  const address = await bound(reply, "inproc");
  void (async () => {
    for await (const [text] of reply) {
      Bun!.gc(true);
      await reply.send(text!);
    }
  })();
  const made = await run(`
    const request = new z.Request({ linger: 0 });
    request.connect(${JSON.stringify(address)});
    for (let i = 0; i < 20; i++) {
      await request.send(String(i));
      Bun.gc(true);
      await request.receive();
    }
    const { connectionsMade } = request.counters;
    request.close();
    return connectionsMade;
  `);
  assert.is(made, 1);
});

test.run();
