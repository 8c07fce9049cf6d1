/** Numbered messages that show what was lost, doubled, reordered or torn; and a wire that fails. */
import { spawn } from "node:child_process";
import {
  connect,
  createServer,
  type Server,
  type Socket as Tcp,
} from "node:net";
import { dirname } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { DENO, isDeno, pause, until, use } from "../socket/tools.ts";

const FRAME = 3000;

/** Frames whose every byte follows from the number. */
export function numbered(n: number): (string | Uint8Array)[] {
  return [String(n), new Uint8Array(n * 37 % FRAME).fill(n % 251)];
}

/** What came of numbered messages: each at most once, in order and whole. */
export class Ledger {
  last = -1;
  count = 0;

  add(message: readonly Uint8Array[]): void {
    const n = Number(String(message[0]));
    assert.ok(n > this.last, `${n} after ${this.last}`);
    const [, body] = numbered(n) as [string, Uint8Array];
    assert.is(message.length, 2, `${n} has both frames`);
    assert.is(
      Buffer.compare(message[1]!, body),
      0,
      `${n} is whole: ${message[1]!.length} of ${body.length} bytes`,
    );
    this.last = n;
    this.count++;
  }
}

interface Receives {
  receive(): Promise<Uint8Array[]>;
  readonly closed: boolean;
}
interface Sends {
  send(message: (string | Uint8Array)[]): Promise<void>;
  readonly closed: boolean;
}

/** Sends numbers and checks what arrives until `stop`; then all that is sent must come. */
export class Traffic {
  readonly ledger = new Ledger();
  sent = 0;
  readonly #from: Sends;
  #stopped = false;
  #fault: unknown;
  #sending!: Promise<void>;

  constructor(from: Sends, to: Receives) {
    this.#from = from;
    this.start();
    void this.#receive(to);
  }

  /** Begins to send; again after `stop`. */
  start(): void {
    this.#stopped = false;
    this.#sending = this.#send(this.#from).catch((error) => {
      if (!this.#from.closed) this.#fault = error;
    });
  }

  async #send(from: Sends): Promise<void> {
    while (!this.#stopped && !from.closed) {
      await from.send(numbered(this.sent++));
      if (this.sent % 20 === 0) await pause(1);
    }
  }

  async #receive(to: Receives): Promise<void> {
    try {
      for (;;) this.ledger.add(await to.receive());
    } catch (error) {
      if (!to.closed) this.#fault = error;
    }
  }

  /** Waits until messages arrive that were sent from now on. */
  async flows(what: string): Promise<void> {
    const { sent } = this;
    await until(() => {
      if (this.#fault) throw this.#fault;
      return this.ledger.last >= sent + 50;
    }, `messages ${what}`);
  }

  /** Waits until so many messages more arrive. */
  async comes(count: number): Promise<void> {
    const wanted = this.ledger.count + count;
    await until(() => {
      if (this.#fault) throw this.#fault;
      return this.ledger.count >= wanted;
    }, `${count} messages`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#sending;
    await until(() => {
      if (this.#fault) throw this.#fault;
      return this.ledger.last === this.sent - 1;
    }, "the last message");
  }
}

/** A TCP relay that can do to a connection what networks do. */
export class Wire {
  readonly #server: Server;
  readonly #pairs = new Set<[Tcp, Tcp]>();
  /** Swallows everything, in both directions, and answers nothing. */
  frozen = false;
  /** Relays so many bytes more, then ends the connection there with FIN. */
  cutAfter = Infinity;
  connections = 0;

  private constructor(server: Server, to: number) {
    this.#server = server;
    server.on("connection", (near) => {
      this.connections++;
      const far = connect(to, "127.0.0.1");
      const pair: [Tcp, Tcp] = [near, far];
      this.#pairs.add(pair);
      let over = false;
      for (const [from, other] of [pair, [far, near]] as const) {
        from.on("error", () => {}).on("data", (bytes) => {
          if (this.frozen || over) return;
          const part = bytes.subarray(0, this.cutAfter);
          this.cutAfter -= part.length;
          other.write(part);
          if (this.cutAfter > 0) return;
          this.cutAfter = Infinity;
          over = true;
          near.end();
          far.end();
        });
        from.on("close", () => {
          this.#pairs.delete(pair);
          if (!this.frozen) other.destroy();
        });
      }
    });
    use({ close: () => (server.close(), this.cut()) });
  }

  static to(endpoint: string): Promise<Wire> {
    const server = createServer();
    return new Promise((resolve) =>
      server.listen(
        0,
        "127.0.0.1",
        () => resolve(new Wire(server, Number(/\d+$/.exec(endpoint)![0]))),
      )
    );
  }

  get endpoint(): string {
    const { port } = this.#server.address() as { port: number };
    return `tcp://127.0.0.1:${port}`;
  }

  /** Resets, or just drops, every connection. */
  cut(how: "reset" | "fin" = "reset"): void {
    for (const [near, far] of this.#pairs) {
      for (const end of [near, far]) {
        if (how === "reset") end.resetAndDestroy();
        else end.end();
      }
    }
  }
}

const root = dirname(DENO).replace(/node_modules.*/, "");

/** A program in a process of its own, on the same runtime; `shell` runs first. */
export function program(code: string, shell = "") {
  const text = `import * as z from "zeromq-wasm";\n${code}`;
  const command = isDeno
    ? `'${DENO}' run --quiet -A -`
    : `'${process.execPath}' --input-type=module -`;
  const child = spawn("/bin/sh", ["-c", `${shell} exec ${command}`], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
    // A group of its own: Deno's command is a program that starts another.
    detached: true,
  });
  child.stdin.end(text);
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => out += part);
  const signal = (name: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid!, name);
    }
  };
  use({ close: () => signal("SIGKILL") });
  return {
    signal,
    output: () => out,
    said: (what: RegExp) =>
      until(() => what.test(out), `${what} in the output`).then(() =>
        what.exec(out)!
      ),
    ended: new Promise<void>((resolve) => child.on("exit", () => resolve())),
  };
}
