/**
 * The client of native_peer.mjs: sockets of the native package, whose libzmq has draft types
 * and `ws`. It is installed when it is not there.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import { within } from "./deadline.ts";

const PACKAGE = "zeromq@6.8.0";
const folder = resolve("build", "native");
const home = join(folder, "node_modules", "zeromq");
const INSTALL_MS = 60_000;
/** Its first call loads the package. */
const PATIENCE_MS = 15_000;

/** Whether the package works here. It is tried once, and once more in another process. */
function find(): boolean {
  try {
    if (!existsSync(home)) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "package.json"), '{"private":true}\n');
      const args = ["install", "--no-audit", "--no-fund", "--no-save", PACKAGE];
      execFileSync("npm", args, {
        cwd: folder,
        stdio: "ignore",
        timeout: INSTALL_MS,
      });
    }
    const load = `require(${JSON.stringify(home)})`;
    execFileSync("node", ["-e", load], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A suite that needs the package: without it, its tests are skipped, but fail where CI is set. */
export function nativeSuite(name: string): ReturnType<typeof suite> {
  const test = suite(name);
  if (find()) return test;
  if (process.env.CI) {
    test("finds the native package", () => {
      throw new Error(`${PACKAGE} is not in ${folder}, or does not load`);
    });
  }
  const skipped = Object.assign(() => test.skip(), test);
  return skipped as unknown as typeof test;
}

type Answer = { resolve(value: unknown): void; reject(error: Error): void };

export class NativePeer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Answer>();
  readonly #exit: Promise<unknown>;
  #calls = 0;
  #text = "";

  constructor() {
    this.#child = spawn("node", ["test/support/native_peer.mjs", home], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#exit = new Promise((resolve) => this.#child.once("close", resolve));
    void this.#exit.then(() => {
      const error = new Error("the native peer has ended");
      for (const { reject } of this.#waiting.values()) reject(error);
    });
    this.#child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (this.#text + chunk).split("\n");
      this.#text = lines.pop()!;
      for (const line of lines) {
        const { call, ok, error } = JSON.parse(line);
        const { resolve, reject } = this.#waiting.get(call)!;
        this.#waiting.delete(call);
        if (error === undefined) resolve(ok);
        else reject(new Error(`native peer: ${error}`));
      }
    });
  }

  call<T>(name: string, ...args: unknown[]): Promise<T> {
    const call = this.#calls++;
    const answer = new Promise<unknown>((resolve, reject) =>
      this.#waiting.set(call, { resolve, reject })
    );
    this.#child.stdin!.write(`${JSON.stringify({ call, name, args })}\n`);
    return within(answer as Promise<T>, `native ${name}`, PATIENCE_MS);
  }

  async socket(type: string, options: object = {}): Promise<NativeSocket> {
    return new NativeSocket(this, await this.call("socket", type, options));
  }

  async stop(): Promise<void> {
    this.#child.stdin!.end();
    await within(this.#exit, "end of the native peer");
  }
}

/** A socket of the native package; frames are strings of latin1. */
export class NativeSocket {
  constructor(readonly peer: NativePeer, readonly id: number) {}
  /** Where it is bound, as the package tells it. */
  bind = (address: string): Promise<string> =>
    this.peer.call("bind", this.id, address);
  connect = (address: string): Promise<void> =>
    this.peer.call("connect", this.id, address);
  join = (group: string): Promise<void> =>
    this.peer.call("join", this.id, group);
  subscribe = (topic: string): Promise<void> =>
    this.peer.call("subscribe", this.id, topic);
  unsubscribe = (topic: string): Promise<void> =>
    this.peer.call("unsubscribe", this.id, topic);
  send = (frames: string[], options?: object): Promise<void> =>
    this.peer.call("send", this.id, frames, options);
  receive = (): Promise<unknown[]> => this.peer.call("receive", this.id);
  close = (): Promise<void> => this.peer.call("close", this.id);
}
