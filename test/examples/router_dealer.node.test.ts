import { suite } from "uvu";
import * as assert from "uvu/assert";
import { available, killAll, Program, type Runtime } from "./support.ts";

const test = suite("examples/router-dealer");
test.after.each(killAll);

const runtimes: Runtime[] = ["node", "deno", "python"];
const names = ["alice", "bob", "carol"];

function serve(on: Runtime, work: number): Program {
  return new Program(
    on,
    "router-dealer/server",
    "--endpoint",
    "tcp://127.0.0.1:*",
    "--work",
    work,
  );
}

for (const on of runtimes) {
  const run = available("python") ? test : test.skip;
  run(`${on} serves clients under node, deno and python at once`, async () => {
    const server = serve(on, 5);
    const endpoint = await server.endpoint();
    const clients = runtimes.map((by, i) =>
      new Program(
        by,
        "router-dealer/client",
        "--endpoint",
        endpoint,
        "--name",
        names[i]!,
      )
    );
    for (const [i, client] of clients.entries()) {
      await client.end();
      const name = names[i]!;
      assert.is(client.lines[0], `${name}: handed in 6 tasks, Ctrl-C stops.`);
      assert.is(client.lines.at(-1), "Done: 6 answers.");
      const pattern = new RegExp(`^${name}: task (\\d) done by worker [123]$`);
      const answers = client.lines.slice(1, -1).map((line) =>
        pattern.exec(line)
      );
      // Each client has the answers to its own tasks, in whatever order.
      assert.equal(answers.map((m) => m?.[1]).sort(), [..."123456"]);
    }
    const did = await server.matches(/^(worker \d): task \d of (\w+)$/, 18);
    // The proxy deals tasks to the workers in turn.
    for (const worker of ["worker 1", "worker 2", "worker 3"]) {
      assert.is(did.filter((m) => m[1] === worker).length, 6, worker);
    }
    await server.stop();
  });

  const alone = available(on) ? test : test.skip;
  alone(`Ctrl-C stops both with tasks under way under ${on}`, async () => {
    const server = serve(on, 3_600_000);
    const client = new Program(
      on,
      "router-dealer/client",
      "--endpoint",
      await server.endpoint(),
    );
    await server.matches(/^worker \d: task \d of client-\d+$/, 3);
    await client.line(/^client-\d+: handed in 6 tasks/);
    await client.stop();
    await server.stop();
  });
}

test.run();
