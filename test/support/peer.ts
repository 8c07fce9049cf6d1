/** The client of test/interop/peer.py: sockets of native libzmq in a process of their own. */
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import process from "node:process";
import { within } from "./deadline.ts";
import { python } from "./python.ts";

/** What a frame may be given as. */
export type Frame = string | Uint8Array;
export type CurveKeys = { publicKey: string; secretKey: string };

/** Size and sha256 (hex) of a frame. */
export type Digest = [size: number, sha256: string];

type Waiting = { resolve(value: unknown): void; reject(error: Error): void };

const running = new Set<Peer>();

/** Ends all peers; they end with the test's process anyway. */
export async function stopPeers(): Promise<void> {
  await Promise.all([...running].map((peer) => peer.stop()));
}

export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting: Waiting[] = [];
  readonly #exit: Promise<void>;
  #text = "";

  private constructor() {
    this.#child = spawn(python!, ["-u", "test/interop/peer.py"], {
      stdio: ["pipe", "pipe", "inherit"],
      // Where libzmq makes its own paths; without it, in the current directory.
      env: { ...process.env, TMPDIR: tmpdir() },
    });
    this.#child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      this.#text += chunk;
      // Only a chunk with an end of line can have completed an answer.
      if (chunk.includes("\n")) this.#answer();
    });
    // A killed peer cannot be written to; what waits for it learns of that below.
    this.#child.stdin!.on("error", () => {});
    this.#exit = new Promise((resolve) => {
      this.#child.once("error", () => resolve());
      this.#child.once("close", () => resolve());
    });
    void this.#exit.then(() => {
      running.delete(this);
      const error = new Error("the Python peer has ended");
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
    running.add(this);
  }

  /** Resolves when the peer is ready to work. */
  static async start(): Promise<Peer> {
    const peer = new Peer();
    await peer.curveKeyPair();
    return peer;
  }

  #answer(): void {
    const lines = this.#text.split("\n");
    this.#text = lines.pop()!;
    for (const line of lines) {
      const { resolve, reject } = this.#waiting.shift()!;
      const { ok, error } = JSON.parse(line);
      if (error === undefined) resolve(ok);
      else reject(new Error(`Python peer: ${error}`));
    }
  }

  /** Runs a command of peer.py. Commands run one after the other, in order. */
  call<T>(name: string, args: Record<string, unknown>): Promise<T> {
    const answer = new Promise<unknown>((resolve, reject) => {
      if (!running.has(this)) reject(new Error("the Python peer has ended"));
      this.#waiting.push({ resolve, reject });
    });
    this.#child.stdin!.write(JSON.stringify({ name, args }) + "\n");
    return within(answer as Promise<T>, `Python peer: ${name}`);
  }

  /**
   * A socket: `type` and the names of options as pyzmq has them (`"REQ"`,
   * `"CURVE_SERVER"`), values numbers or strings of latin1.
   */
  async socket(
    type: string,
    options: Record<string, number | string> = {},
  ): Promise<PeerSocket> {
    const id = await this.call<string>("socket", { type, options });
    return new PeerSocket(this, id);
  }

  /** A key pair of native libzmq. */
  curveKeyPair(): Promise<CurveKeys> {
    return this.call("curve_keypair", {});
  }

  /** Starts pyzmq's authenticator: it accepts these passwords by user, these CURVE keys. */
  authenticate(
    passwords: Record<string, string>,
    keys: string[],
  ): Promise<void> {
    return this.call("authenticate", { passwords, keys });
  }

  /** Freezes the process, or lets it go on. */
  freeze(on: boolean): void {
    // Not by the child's own method, which on Deno works only once.
    process.kill(this.#child.pid!, on ? "SIGSTOP" : "SIGCONT");
  }

  /** Kills the process at once; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await within(this.#exit, "end of the killed Python peer");
  }

  /** Lets the process end by itself. */
  async stop(): Promise<void> {
    this.#child.stdin!.end();
    await within(this.#exit, "end of the Python peer");
  }
}

export class PeerSocket {
  constructor(readonly peer: Peer, readonly id: string) {}

  #call<T>(name: string, args: Record<string, unknown>): Promise<T> {
    return this.peer.call(name, { id: this.id, ...args });
  }

  set(name: string, value: number | string): Promise<void> {
    return this.#call("set", { name, value });
  }

  get(name: string): Promise<number | string> {
    return this.#call("get", { name });
  }

  /** Binds, and says the endpoint with wildcards resolved. */
  bind(endpoint: string): Promise<string> {
    return this.#call("bind", { endpoint });
  }

  connect(endpoint: string): Promise<void> {
    return this.#call("connect", { endpoint });
  }

  disconnect(endpoint: string): Promise<void> {
    return this.#call("disconnect", { endpoint });
  }

  unbind(endpoint: string): Promise<void> {
    return this.#call("unbind", { endpoint });
  }

  /** Sends one message. */
  send(frames: Frame[]): Promise<void> {
    return this.sendAll([frames]);
  }

  sendAll(messages: Frame[][]): Promise<void> {
    const base64 = (frame: Frame) =>
      Buffer.from(frame as string).toString("base64");
    return this.#call("send", { messages: messages.map((m) => m.map(base64)) });
  }

  /** Sends the message received last, as it was. */
  sendBack(): Promise<void> {
    return this.#call("send", { messages: null });
  }

  /** The next message. The peer does nothing else until it is there. */
  async receive(timeout?: number): Promise<Buffer[]> {
    return (await this.receiveAll(1, timeout))[0]!;
  }

  async receiveAll(count: number, timeout = 15_000): Promise<Buffer[][]> {
    const args = { count, digest: false, timeout };
    const messages = await this.#call<string[][]>("receive", args);
    return messages.map((m) => m.map((frame) => Buffer.from(frame, "base64")));
  }

  /** The next message, of which only sizes and sums are told. */
  async receiveDigests(): Promise<Digest[]> {
    const args = { count: 1, digest: true, timeout: 15_000 };
    return (await this.#call<Digest[][]>("receive", args))[0]!;
  }

  /** Receives `count` messages, or as many as come: how many. */
  receiveCount(count: number): Promise<number> {
    return this.#call("count", { count });
  }

  /** Sends random frames of these sizes, a list for each message: the sha256 (hex) of each. */
  shower(sizes: readonly (readonly number[])[]): Promise<string[][]> {
    return this.#call("shower", { sizes });
  }

  /** Sends bodies of `size` zeros until it would block for `quiet` ms: how many went. */
  flood(size: number, limit: number, quiet: number): Promise<number> {
    return this.#call("flood", { size, limit, quiet });
  }

  /** From now on events are kept for `event`. */
  monitor(): Promise<void> {
    return this.#call("event", { name: "" });
  }

  /** Waits for an event ("DISCONNECTED", "HANDSHAKE_FAILED_AUTH") and says its value. */
  event(name: string): Promise<number> {
    return this.#call("event", { name });
  }

  close(linger = 0): Promise<void> {
    return this.#call("close", { linger });
  }
}
