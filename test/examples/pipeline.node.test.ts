import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  available,
  deserted,
  killAll,
  Program,
  type Runtime,
} from "./support.ts";

const test = suite("examples/pipeline");
test.after.each(killAll);

const COUNT = 60;

async function produce(
  on: Runtime,
  by: Runtime[],
  ...args: (string | number)[]
): Promise<{ producer: Program; workers: Program[] }> {
  const producer = new Program(
    on,
    "pipeline/server",
    "--endpoint",
    "tcp://127.0.0.1:*",
    "--results",
    "tcp://127.0.0.1:*",
    ...args,
  );
  const endpoint = (await producer.line(/^Producing on (.+)/))[1]!;
  const results = (await producer.line(/^Collecting on (.+)/))[1]!;
  const workers = by.map((runtime, i) =>
    new Program(
      runtime,
      "pipeline/client",
      "--endpoint",
      endpoint,
      "--results",
      results,
      "--name",
      `${runtime}-${i}`,
    )
  );
  return { producer, workers };
}

const casts: [Runtime, Runtime[]][] = [
  ["node", ["node", "deno", "python"]],
  ["deno", ["node", "deno", "python"]],
  ["python", ["node", "deno", "python"]],
  ["node", ["deno", "deno", "deno"]],
];

for (const [on, by] of casts) {
  const run = available(on, ...by) ? test : test.skip;
  run(`${on} produces for ${by.join(", ")}`, async () => {
    const { producer, workers } = await produce(
      on,
      by,
      "--count",
      COUNT,
      "--work",
      10,
    );
    await producer.end();
    assert.is(producer.lines.at(-1), `Done: ${COUNT} items.`);
    const ready = await producer.matches(/^Ready: (.+)$/, 3);
    assert.equal(
      ready.map((m) => m[1]).sort(),
      by.map((r, i) => `${r}-${i}`).sort(),
    );

    const done = await producer.matches(/^Item (\d+) from (.+): (\d+)$/, COUNT);
    const ids = done.map((m) => Number(m[1])).sort((a, b) => a - b);
    assert.equal(ids, Array.from({ length: COUNT }, (_, i) => i + 1));
    for (const [, id, , square] of done) {
      assert.is(Number(square), Number(id) ** 2);
    }
    for (const [i, worker] of workers.entries()) {
      const name = `${by[i]}-${i}`;
      const brought = done.filter((m) => m[2] === name).map((m) => m[1]);
      assert.ok(brought.length > 0, `${name} had nothing to do`);
      const took = await worker.matches(
        /^Working on item (\d+)$/,
        brought.length,
      );
      assert.equal(took.map((m) => m[1]), brought, `${name}: one by one`);
      await worker.stop();
    }
  });
}

for (const runtime of ["node", "deno", "python"] as const) {
  const run = available(runtime) ? test : test.skip;
  run(
    `Ctrl-C stops a producer and workers at work under ${runtime}`,
    async () => {
      const { producer, workers } = await produce(
        runtime,
        [runtime, runtime],
        "--workers",
        2,
        "--work",
        3_600_000,
      );
      for (const worker of workers) await worker.line(/^Working on item/);
      await producer.stop();
      for (const worker of workers) await worker.stop();
    },
  );

  run(`Ctrl-C stops a worker that nobody gives work: ${runtime}`, async () => {
    const nowhere = await deserted();
    const worker = new Program(
      runtime,
      "pipeline/client",
      "--endpoint",
      nowhere,
      "--results",
      nowhere,
    );
    await worker.line(/^Waiting for work as worker-\d+, Ctrl-C stops\.$/);
    await worker.stop();
  });
}

test.run();
