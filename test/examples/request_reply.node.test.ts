import { suite } from "uvu";
import * as assert from "uvu/assert";
import { available, killAll, Program, type Runtime } from "./support.ts";

const test = suite("examples/request-reply");
test.after.each(killAll);

const runtimes: Runtime[] = ["node", "deno", "python"];
const pairs = runtimes.flatMap((server) =>
  runtimes.map((client) => [server, client] as const)
);

for (const [on, by] of pairs) {
  const run = available(on, by) ? test : test.skip;
  run(`${on} answers ${by}`, async () => {
    const server = new Program(
      on,
      "request-reply/server",
      "--endpoint",
      "tcp://127.0.0.1:*",
      "--work",
      5,
    );
    const endpoint = await server.endpoint();
    const client = new Program(
      by,
      "request-reply/client",
      "--endpoint",
      endpoint,
    );
    await client.end();
    const numbers = Array.from({ length: 10 }, (_, i) => i + 1);
    assert.equal(client.lines, [
      ...numbers.flatMap((
        n,
      ) => [`Sending: Hello ${n}`, `Received: World ${n}`]),
      "Done: 10 answers.",
    ]);
    await server.stop();
    assert.equal(server.lines, [
      `Listening on ${endpoint}, Ctrl-C stops.`,
      ...numbers.map((n) => `Received: Hello ${n}`),
      "Stopping.",
    ]);
  });
}

for (const runtime of runtimes) {
  const run = available(runtime) ? test : test.skip;
  run(`Ctrl-C stops both at work under ${runtime}`, async () => {
    const server = new Program(
      runtime,
      "request-reply/server",
      "--endpoint",
      "tcp://127.0.0.1:*",
      "--work",
      3_600_000,
    );
    const client = new Program(
      runtime,
      "request-reply/client",
      "--endpoint",
      await server.endpoint(),
    );
    await server.line(/^Received: Hello 1$/);
    await client.stop();
    await server.stop();
  });
}

test.run();
