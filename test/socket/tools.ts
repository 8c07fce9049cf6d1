/** What many tests of this folder and its neighbours need. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import type { Socket, ZmqError } from "zeromq-wasm";

// Taken at the start: tests may follow the timers that the library sets.
const { setTimeout, clearTimeout } = globalThis;

/** Far more than anything takes on a busy machine; PATIENCE=500 shortens the wait for what is broken. */
export const PATIENCE_MS = Number(process.env.PATIENCE ?? 20_000);

export const isDeno = "Deno" in globalThis;
export const isBun = "Bun" in globalThis;

/** The promise's outcome, or an error that names what did not come in time. */
export function within<T>(
  promise: Promise<T>,
  what: string,
  ms: number = PATIENCE_MS,
): Promise<T> {
  const late = new Error(`${what}: nothing within ${ms} ms`);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Lets this much time pass: for "nothing happens", never for "it will have happened". */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** Asks until the answer is true. */
export async function until(
  check: () => unknown,
  what: string,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`${what}: not in time`);
    await pause(2);
  }
}

/** Whether the promise is still pending after some time. */
export function stays(promise: Promise<unknown>, ms = 50): Promise<boolean> {
  const settled = () => false;
  return Promise.race([
    promise.then(settled, settled),
    pause(ms).then(() => true),
  ]);
}

/** The error with which a promise rejects, in time. A throw is not a rejection. */
export async function rejection(
  promise: Promise<unknown>,
  what = "a rejection",
): Promise<ZmqError> {
  try {
    await within(promise, what);
  } catch (error) {
    return error as ZmqError;
  }
  throw new Error(`${what}: resolved`);
}

/** The error that a call throws before it returns. */
export function thrown(call: () => unknown, what = "a throw"): ZmqError {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(() => {});
  } catch (error) {
    return error as ZmqError;
  }
  throw new Error(`${what}: did not throw`);
}

/** Every error has a code, a number, and a sentence that is no code. */
export function checkError(
  error: ZmqError,
  code: string,
  details: { address?: string; says?: RegExp } = {},
): void {
  const what = `${code} ${details.address ?? ""}`;
  assert.instance(error, Error, what);
  assert.is(error.code, code, `${what}: ${error.message}`);
  assert.ok(
    Number.isInteger(error.errno) && error.errno > 0,
    `${what}: errno ${error.errno}`,
  );
  assert.is(error.address, details.address, what);
  assert.match(error.message, details.says ?? /\w\w+ \w/, what);
}

/** The text of each frame. */
export function texts(message: readonly Uint8Array[]): string[] {
  return message.map((frame) => new TextDecoder().decode(frame));
}

/** The next message as text, in time. */
export async function next(
  socket: { receive(): Promise<Uint8Array[]> },
  what = "a message",
): Promise<string[]> {
  return texts(await within(socket.receive(), what));
}

const open: { close(): void }[] = [];

/** Closes it when the test is over (see `closeAll`). */
export function use<T extends { close(): void }>(thing: T): T {
  open.push(thing);
  return thing;
}

/** For `suite.after.each`. */
export function closeAll(): void {
  for (const thing of open.splice(0)) thing.close();
}

let directory: string | undefined;
let serial = 0;

/** A path that nobody uses, in a directory that goes with the process. */
export function freshPath(name = "s"): string {
  if (directory === undefined) {
    const made = directory = mkdtempSync(join(tmpdir(), "zw-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  return join(directory, `${name}${++serial}`);
}

export const TRANSPORTS = ["tcp", "ipc", "inproc"] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** An address to bind to that nobody uses. */
export function anywhere(transport: Transport): string {
  if (transport === "tcp") return "tcp://127.0.0.1:*";
  return transport === "ipc" ? `ipc://${freshPath()}` : `inproc://${++serial}`;
}

/** Binds somewhere and says where. */
export async function bound(
  socket: Pick<Socket, "bind" | "lastEndpoint">,
  transport: Transport = "tcp",
): Promise<string> {
  await within(socket.bind(anywhere(transport)), "bind");
  return socket.lastEndpoint!;
}

/** A port on which nobody listens, now and most likely for some time. */
export async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise<unknown>((done) => server.close(done));
  return port;
}

// --- child processes

// This file is bundled to build/test/FOLDER/.
const root = fileURLToPath(new URL("../../../", import.meta.url));
export const DENO: string = join(root, "node_modules", ".bin", "deno");

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
  /** Milliseconds from its first output ("ready" it should say) to its end. */
  readonly took: number;
}

/**
 * Runs a program in a process of its own, with `z` being the library; on the runtime
 * of the test unless `deno` has flags for Deno. `started` gets the process id after
 * the first output.
 */
export function runProgram(
  code: string,
  options: {
    deno?: string[];
    env?: Record<string, string>;
    started?: (pid: number) => void;
  } = {},
): Promise<Ended> {
  const program = `import * as z from "zeromq-wasm";\n${code}`;
  const flags = options.deno ?? (isDeno ? ["--allow-all"] : undefined);
  const [command, args] = flags
    ? [DENO, ["run", "--quiet", ...flags, "-"]]
    : [process.execPath, ["--input-type=module", "-"]];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let out = "", err = "";
    let since: number | undefined;
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`did not end:\n${code}\n${out}\n${err}`));
    }, PATIENCE_MS);
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (since !== undefined) return;
      since = performance.now();
      options.started?.(child.pid!);
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => err += text);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const took = since === undefined ? 0 : performance.now() - since;
      resolve({ code, signal, out, err, took });
    });
    child.stdin!.end(program);
  });
}
