import { suite } from "uvu";
import * as assert from "uvu/assert";
import { available, killAll, Program, type Runtime } from "./support.ts";

const test = suite("examples/publish-subscribe");
test.after.each(killAll);

// Every program on every runtime, and nobody only with their own kind.
const pairs: [Runtime, Runtime][] = [
  ["node", "deno"],
  ["node", "python"],
  ["deno", "node"],
  ["deno", "python"],
  ["python", "node"],
  ["python", "deno"],
];

/** The round numbers of the messages on a topic. */
function rounds(lines: string[], topic: string): number[] {
  return lines.map((line) => new RegExp(`^${topic} (\\d+): `).exec(line))
    .filter((match) => match !== null).map((match) => Number(match[1]));
}

/** Counts up by one: nothing was lost, repeated or swapped after the first. */
function assertConsecutive(numbers: number[]): void {
  assert.ok(numbers.length > 0);
  assert.equal(numbers, numbers.map((_, i) => numbers[0]! + i));
}

for (const [on, by] of pairs) {
  const run = available(on, by) ? test : test.skip;
  run(`${on} publishes to ${by}`, async () => {
    const server = new Program(
      on,
      "publish-subscribe/server",
      "--endpoint",
      "tcp://127.0.0.1:*",
      "--interval",
      10,
    );
    const endpoint = await server.endpoint();
    const two = new Program(
      by,
      "publish-subscribe/client",
      "--endpoint",
      endpoint,
      "--count",
      20,
    );
    const one = new Program(
      by,
      "publish-subscribe/client",
      "--endpoint",
      endpoint,
      "--topics",
      "news",
    );
    await two.end();
    assert.is(two.lines.length, 22);
    assert.is(two.lines[0], "Subscribed to sports,weather, Ctrl-C stops.");
    assert.is(two.lines[21], "Done: 20 messages.");
    assertConsecutive(rounds(two.lines, "sports"));
    assertConsecutive(rounds(two.lines, "weather"));
    assert.is(
      rounds(two.lines, "sports").length + rounds(two.lines, "weather").length,
      20,
      "nothing else came",
    );

    await one.matches(/^news \d+: nothing happened$/, 5);
    await one.stop();
    assertConsecutive(rounds(one.lines, "news"));
    assert.not.match(one.stdout, /sports|weather/);
    await server.stop();
  });
}

for (const runtime of ["node", "deno", "python"] as const) {
  const run = available(runtime) ? test : test.skip;
  run(
    `Ctrl-C stops an idle publisher and a waiting subscriber: ${runtime}`,
    async () => {
      const server = new Program(
        runtime,
        "publish-subscribe/server",
        "--endpoint",
        "tcp://127.0.0.1:*",
        "--interval",
        3_600_000,
      );
      const client = new Program(
        runtime,
        "publish-subscribe/client",
        "--endpoint",
        await server.endpoint(),
      );
      await server.line(/^Published round 1\.$/);
      await client.line(/^Subscribed/);
      await client.stop();
      await server.stop();
    },
  );
}

test.run();
