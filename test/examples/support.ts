/**
 * Runs the programs of `examples/` as their users do: as processes under Node, Deno
 * (with `--allow-net` and nothing else) and Python, told by their output.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";

export type Runtime = "node" | "deno" | "python";

/** For anything to happen: only a broken program takes so long. */
const LIMIT_MS = 30_000;
/** For Ctrl-C: well below what any example waits for by itself. */
const AGAIN_MS = 2000;
const STOP_MS = 10_000;

/** The Python that has pyzmq. Without one, tests skip; on CI they fail. */
export const python: string | undefined = [
  process.env.PYTHON,
  "python3",
  "/usr/bin/python3",
].find((command) =>
  command && spawnSync(command, ["-c", "import zmq"]).status === 0
);

/** Whether a test that needs these runtimes can run here. */
export function available(...runtimes: Runtime[]): boolean {
  return python !== undefined || process.env.CI !== undefined ||
    !runtimes.includes("python");
}

function command(runtime: Runtime, name: string): [string, string[]] {
  const path = join("examples", name);
  switch (runtime) {
    case "node":
      return [process.execPath, [`${path}.mjs`]];
    case "deno":
      return [join("node_modules", ".bin", "deno"), [
        "run",
        "--no-prompt",
        "--allow-net",
        `${path}.mjs`,
      ]];
    case "python":
      if (python === undefined) throw new Error("no Python with pyzmq found");
      return [python, [`${path}.py`]];
  }
}

/** An endpoint where nobody listens any more. */
export async function deserted(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `tcp://127.0.0.1:${port}`;
}

const running = new Set<Program>();

/** Ends what a failed test has left behind. */
export function killAll(): void {
  for (const program of running) program.kill();
}

/** A running example. */
export class Program {
  readonly name: string;
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #changed: () => void = () => {};
  #over = false;

  constructor(runtime: Runtime, path: string, ...args: (string | number)[]) {
    this.name = `${path} under ${runtime}`;
    const [file, before] = command(runtime, path);
    const child = spawn(file, [...before, ...args.map(String)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        NO_COLOR: "1",
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONUNBUFFERED: "1",
      },
    });
    this.#child = child;
    running.add(this);
    child.stdout!.setEncoding("utf8").on("data", (text) => {
      this.stdout += text;
      this.#changed();
    });
    child.stderr!.setEncoding("utf8").on("data", (text) => this.stderr += text);
    this.#ended = new Promise((resolve) => {
      child.on("error", (error) => this.stderr += error.message);
      child.on("close", (code, signal) => {
        running.delete(this);
        this.#over = true;
        this.#changed();
        resolve(signal ?? `exit code ${code}`);
      });
    });
  }

  get lines(): string[] {
    return this.stdout.split("\n").slice(0, -1);
  }

  /** The first line, of those printed and those to come, that matches. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    return (await this.matches(pattern, 1))[0]!;
  }

  /** Waits until `count` lines match. */
  matches(pattern: RegExp, count: number): Promise<RegExpExecArray[]> {
    const search = new Promise<RegExpExecArray[]>((resolve, reject) => {
      const look = () => {
        const found = this.lines.map((line) => pattern.exec(line))
          .filter((match) => match !== null);
        if (found.length >= count) resolve(found);
        else if (this.#over) reject(this.#failure(`ended without ${pattern}`));
      };
      this.#changed = look;
      look();
    });
    return this.#within(LIMIT_MS, search, `did not print ${pattern}`);
  }

  /** The endpoint that it says it listens on. */
  async endpoint(): Promise<string> {
    return (await this.line(/ on (tcp:\/\/127\.0\.0\.1:\d+)/))[1]!;
  }

  /** Waits for it to end by itself, without a complaint. */
  async end(code = 0): Promise<void> {
    const how = await this.#within(LIMIT_MS, this.#ended, "did not end");
    assert.is(this.stderr, "", `${this.name}: stderr`);
    assert.is(how, `exit code ${code}`, this.name);
  }

  /** Waits for it to end by itself: the exit code. */
  async fail(): Promise<number> {
    const how = await this.#within(LIMIT_MS, this.#ended, "did not end");
    assert.match(how, /^exit code \d+$/, this.name);
    return Number(how.split(" ").at(-1));
  }

  /** Presses Ctrl-C: it ends quickly and well. */
  async stop(): Promise<void> {
    assert.not(this.#over, `${this.name} ended before Ctrl-C\n${this.stdout}`);
    this.#child.kill("SIGINT");
    // A signal that comes just before Python enters a call of libzmq does not end that
    // call; a person would press the keys again.
    const again = this.name.endsWith("python")
      ? setInterval(() => this.#child.kill("SIGINT"), AGAIN_MS)
      : undefined;
    const how = await this.#within(
      STOP_MS,
      this.#ended,
      "did not stop on Ctrl-C",
    ).finally(() => clearInterval(again));
    assert.is(this.stderr, "", `${this.name}: stderr`);
    assert.is(how, "exit code 0", `${this.name} on Ctrl-C`);
    // Python can be interrupted between a line and its end.
    assert.match(this.stdout, /Stopping\.\n/, `${this.name}: ${this.stdout}`);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #failure(what: string): Error {
    return new Error(
      `${this.name} ${what}\n--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`,
    );
  }

  async #within<T>(
    milliseconds: number,
    wait: Promise<T>,
    what: string,
  ): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(this.#failure(`${what} within ${milliseconds} ms`)),
        milliseconds,
      );
    });
    try {
      return await Promise.race([wait, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
