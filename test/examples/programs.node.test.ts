/** What all programs in `examples/` have in common: flags, and failing well. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { available, killAll, Program, type Runtime } from "./support.ts";

const test = suite("examples");
test.after.each(killAll);

const examples = [
  "monitoring",
  "pipeline",
  "publish-subscribe",
  "request-reply",
  "router-dealer",
  "security",
];
const runtimes: Runtime[] = ["node", "deno", "python"];

test("each example has its tests", () => {
  const folders = readdirSync("examples", { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "__pycache__")
    .map((entry) => entry.name);
  assert.equal(folders.sort(), examples);
  const tests = readdirSync("test/examples");
  for (const example of examples) {
    const name = `${example.replace("-", "_")}.node.test.ts`;
    assert.ok(tests.includes(name), name);
  }
});

test("the examples agree with the types of the package", () => {
  const files = examples.flatMap((example) =>
    readdirSync(`examples/${example}`).filter((name) => name.endsWith(".mjs"))
      .map((name) => `examples/${example}/${name}`)
  );
  const { stdout, status } = spawnSync(
    "node_modules/.bin/tsc",
    "--noEmit --strict --allowJs --checkJs --types node --module nodenext --target es2022"
      .split(" ").concat("--lib", "es2023,esnext.disposable,dom", ...files),
    { encoding: "utf8" },
  );
  assert.is(stdout, "");
  assert.is(status, 0);
});

for (const runtime of runtimes) {
  const run = available(runtime) ? test : test.skip;

  run(`--help tells the flags under ${runtime}`, async () => {
    const programs = examples.flatMap((example) =>
      ["server", "client"].map((side) =>
        new Program(runtime, `${example}/${side}`, "--help")
      )
    );
    for (const program of programs) {
      await program.end();
      assert.match(program.stdout, /--endpoint/, program.name);
      assert.match(program.stdout, /tcp:\/\/127\.0\.0\.1:55/, program.name);
    }
  });

  run(`an unknown flag is named under ${runtime}`, async () => {
    const program = new Program(runtime, "request-reply/client", "--cuont", 3);
    assert.is(await program.fail(), 2);
    assert.match(program.stderr, "--cuont");
    assert.not.match(program.stderr, /\n +at |Traceback/);
  });

  run(`a number must be one under ${runtime}`, async () => {
    const program = new Program(
      runtime,
      "request-reply/client",
      "--count",
      "x",
    );
    assert.is(await program.fail(), 2);
    assert.match(program.stderr, "--count");
    assert.not.match(program.stderr, /\n +at |Traceback/);
  });

  run(`a busy address is one line under ${runtime}`, async () => {
    const first = new Program(
      "node",
      "request-reply/server",
      "--endpoint",
      "tcp://127.0.0.1:*",
    );
    const endpoint = await first.endpoint();
    const programs = examples.map((example) =>
      new Program(runtime, `${example}/server`, "--endpoint", endpoint)
    );
    for (const program of programs) {
      assert.is(await program.fail(), 1, program.name);
      assert.match(
        program.stderr,
        /^.*Address already in use.*\n$/,
        program.name,
      );
      // Older pyzmq does not tell which one.
      if (runtime !== "python") {
        assert.match(program.stderr, endpoint, program.name);
      }
    }
    await first.stop();
  });
}

test.run();
