/** The programs of docs/security.md, as they stand there, under Node and Deno. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createCertificates } from "zeromq-wasm/auth";
import { within } from "../support/deadline.ts";

const test = suite("docs/security.md");

// Within the project, so that the programs find the package by its name.
fs.mkdirSync("build", { recursive: true });
const folder = fs.mkdtempSync(resolve("build", "security-"));
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  fs.rmSync(folder, { recursive: true, force: true });
});

const page = fs.readFileSync("docs/security.md", "utf8");
const programs = new Map(
  [...page.matchAll(/```js\n\/\/ (\w+\.mjs)\n([^]*?)```/g)].map((match) =>
    [match[1]!, match[2]!] as const
  ),
);

/** Only the endpoint is changed: a fixed port may be taken. */
function write(name: string, endpoint: string): void {
  const text = programs.get(name)!;
  const fixed = "tcp://127.0.0.1:5560";
  assert.is(text.includes(fixed), name !== "keys.mjs");
  // Deno has no global `process`, and the page is written for Node first.
  const head = `import process from "node:process";\n`;
  fs.writeFileSync(`${folder}/${name}`, head + text.replace(fixed, endpoint));
}

const DENO = resolve("node_modules", ".bin", "deno");
class Program {
  readonly lines: string[] = [];
  readonly exit: Promise<number | null>;
  #wake: () => void = () => {};

  constructor(runtime: "node" | "deno", name: string, ...args: string[]) {
    const child = runtime === "node"
      ? spawn(process.execPath, [name, ...args], { cwd: folder })
      : spawn(DENO, ["run", "-A", name, ...args], { cwd: folder });
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on("line", (line) => {
        this.lines.push(line);
        this.#wake();
      });
    }
    this.exit = new Promise((resolve) =>
      child.once("close", (code) => {
        running.delete(child);
        this.#wake();
        resolve(code);
      })
    );
    this.stop = () => void child.kill("SIGKILL");
  }
  stop: () => void;

  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      for (const line of this.lines) {
        const match = pattern.exec(line);
        if (match) return match;
      }
      await within(
        new Promise<void>((resolve) => this.#wake = resolve),
        `${pattern} in ${JSON.stringify(this.lines)}`,
      );
    }
  }
}

test("there are three programs", () => {
  assert.equal([...programs.keys()], ["keys.mjs", "server.mjs", "client.mjs"]);
});

test("keys, server, client; a stranger; somebody added and removed", async () => {
  write("keys.mjs", "");
  write("server.mjs", "tcp://127.0.0.1:*");
  const keys = new Program("node", "keys.mjs");
  assert.is(await within(keys.exit, "the keys"), 0);
  for (const name of ["server.key_secret", "clients/alice.key_secret"]) {
    assert.is(fs.statSync(`${folder}/${name}`).mode & 0o777, 0o600);
  }
  for (const [on, by] of [["node", "deno"], ["deno", "node"]] as const) {
    const server = new Program(on, "server.mjs");
    const [, endpoint] = await server.line(/^listening on (\S+)$/);
    write("client.mjs", endpoint!);
    const ask = async (...args: string[]) => {
      const client = new Program(by, "client.mjs", ...args);
      await within(client.exit, "the client's end");
      return client.lines;
    };
    assert.equal(await ask(), ["Oslo: sunny"]);
    await server.line(/^admitted \S{40} from 127\.0\.0\.1: OK$/);

    const [open, secret] = await createCertificates(folder, `${on}-bob`);
    const refused = "refused: Authentication failure (400)";
    assert.is((await ask(secret))[0], refused);
    await server.line(/^refused \S{40} from 127\.0\.0\.1: Unknown key$/);
    fs.renameSync(open, `${folder}/clients/bob.key`);
    assert.equal(await ask(secret), ["Oslo: sunny"]);
    fs.rmSync(`${folder}/clients/bob.key`);
    assert.is((await ask(secret))[0], refused);
    server.stop();
    await server.exit;
  }
});

test.run();
