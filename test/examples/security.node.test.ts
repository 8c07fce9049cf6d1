import { suite } from "uvu";
import * as assert from "uvu/assert";
import { available, killAll, Program, type Runtime } from "./support.ts";

const test = suite("examples/security");
test.after.each(killAll);

const runtimes: Runtime[] = ["node", "deno", "python"];
const pairs: [Runtime, Runtime][] = [
  ["node", "deno"],
  ["node", "python"],
  ["deno", "node"],
  ["deno", "python"],
  ["python", "node"],
  ["python", "deno"],
];

for (const [on, by] of pairs) {
  const run = available(on, by) ? test : test.skip;
  run(
    `${on} admits alice and bob and refuses mallory, all under ${by}`,
    async () => {
      const server = new Program(
        on,
        "security/server",
        "--endpoint",
        "tcp://127.0.0.1:*",
      );
      const endpoint = await server.endpoint();
      const start = (...args: string[]) =>
        new Program(by, "security/client", "--endpoint", endpoint, ...args);
      const alice = start();
      const bob = start("--name", "bob");
      const mallory = start("--name", "mallory");

      for (const client of [alice, bob]) {
        await client.end();
        assert.equal(client.lines, [
          "Received: Good day 1 to you",
          "Received: Good day 2 to you",
          "Received: Good day 3 to you",
          "Done: 3 answers.",
        ]);
      }
      await mallory.end(1);
      assert.equal(mallory.lines, [
        "The server refuses mallory: Authentication failure (400)",
      ]);

      await server.line(/^Admitted: alice from 127\.0\.0\.1$/);
      await server.line(/^Admitted: bob from 127\.0\.0\.1$/);
      await server.line(/^Refused: \S{40} from 127\.0\.0\.1$/);
      await server.stop();
      const received = server.lines.filter((line) =>
        line.startsWith("Received")
      );
      assert.is(received.length, 6);
    },
  );
}

for (const runtime of runtimes) {
  const run = available(runtime) ? test : test.skip;
  run(
    `Ctrl-C stops a client that waits for the server: ${runtime}`,
    async () => {
      const server = new Program(
        runtime,
        "security/server",
        "--endpoint",
        "tcp://127.0.0.1:*",
      );
      // It answers as long as anybody asks.
      const endpoint = await server.endpoint();
      const client = new Program(
        runtime,
        "security/client",
        "--endpoint",
        endpoint,
        "--count",
        1_000_000,
      );
      await client.line(/^Received/);
      await server.stop();
      await client.stop();
    },
  );
}

test.run();
