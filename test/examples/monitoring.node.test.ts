import { suite } from "uvu";
import * as assert from "uvu/assert";
import { available, killAll, Program, type Runtime } from "./support.ts";

const test = suite("examples/monitoring");
test.after.each(killAll);

const COUNT = 20;
const REPORT =
  /^up ([\d.]+) s: received (\d+) \(([\d.]+)\/s\), sent (\d+) \(([\d.]+)\/s\), connections (\d+)$/;

function serve(on: Runtime): Program {
  return new Program(
    on,
    "monitoring/server",
    "--endpoint",
    "tcp://127.0.0.1:*",
    "--interval",
    20,
  );
}

/** The types of the events that a program has printed. */
function events({ lines }: Program): (string | undefined)[] {
  return lines.map((line) => /^up [\d.]+ s: event (\S+)/.exec(line)?.[1])
    .filter((type) => type !== undefined);
}

/** The last report is of the whole time, and right. */
function assertTotal(program: Program, connections: number): void {
  const total = program.lines.map((line) => REPORT.exec(line)).filter((m) =>
    m !== null
  ).at(-1);
  const [uptime, received, inRate, sent, outRate, open] = total!.slice(1)
    .map(Number) as [number, number, number, number, number, number];
  assert.is(received, COUNT, program.name);
  assert.is(sent, COUNT, program.name);
  assert.is(open, connections, program.name);
  for (const rate of [inRate, outRate]) {
    // Both numbers are rounded to one decimal.
    const low = COUNT / (uptime + 0.051) - 0.051;
    const high = COUNT / Math.max(uptime - 0.051, 0.001) + 0.051;
    assert.ok(low <= rate && rate <= high, `${rate}/s in ${uptime} s`);
  }
}

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
  run(`${on} and ${by} count the same`, async () => {
    const server = serve(on);
    const endpoint = await server.endpoint();
    const client = new Program(
      by,
      "monitoring/client",
      "--endpoint",
      endpoint,
      "--count",
      COUNT,
      "--pace",
      5,
      "--interval",
      20,
    );
    await client.end();
    assert.is(client.lines[0], `Talking to ${endpoint}, Ctrl-C stops.`);
    assert.equal(events(client).slice(0, 3), [
      "connect:delay",
      "connect",
      "handshake",
    ]);
    assertTotal(client, 1);
    const reports = await client.matches(REPORT, 2);
    const counts = reports.map((m) => Number(m[2]));
    assert.equal(counts, counts.toSorted((a, b) => a - b), "never fewer");

    await server.line(/ event disconnect tcp:/);
    // A report after that, so that the total has seen it too.
    await server.line(/sent 20 .*, connections 0$/);
    await server.stop();
    assert.equal(events(server).slice(0, 4), [
      "bind",
      "accept",
      "handshake",
      "disconnect",
    ]);
    assertTotal(server, 0);
  });
}

for (const runtime of ["node", "deno", "python"] as const) {
  const run = available(runtime) ? test : test.skip;
  run(
    `a client that loses its server says so and goes on: ${runtime}`,
    async () => {
      const server = serve(runtime);
      const client = new Program(
        runtime,
        "monitoring/client",
        "--endpoint",
        await server.endpoint(),
        "--interval",
        20,
      );
      await server.line(/ event handshake tcp:/);
      await client.line(/connections 1$/);
      await server.stop();
      await client.line(/ event disconnect tcp:/);
      await client.line(/ event connect:retry tcp:\S+ in \d+ ms$/);
      await client.line(/connections 0$/);
      await client.stop();
    },
  );
}

test.run();
