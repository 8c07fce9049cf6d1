/** Worker threads for tests: their program is a text in which `z` is the library. */
import * as process from "node:process";
import { Worker } from "node:worker_threads";
import { pathToFileURL } from "node:url";
import { context } from "zeromq-wasm";
import { until, within } from "../support/deadline.ts";

const isDeno = "Deno" in globalThis;
const LIBRARY =
  pathToFileURL(`${process.cwd()}/dist/${isDeno ? "deno" : "node"}.mjs`).href;

const PROGRAM = `
const { parentPort, workerData } = require("node:worker_threads");
const inbox = [], waiting = [];
parentPort.on("message", (it) => waiting.length ? waiting.shift()(it) : inbox.push(it));
/** Tells the test something. */
const tell = (it) => parentPort.postMessage(it);
/** The next thing the test tells. */
const told = () => inbox.length
  ? Promise.resolve(inbox.shift())
  : new Promise((resolve) => waiting.push(resolve));
const over = () => parentPort.unref();
const { data } = workerData;
(async () => {
const z = await import(workerData.library);
BODY
})().catch((error) => setTimeout(() => { throw error; }));
`;

export interface Thread {
  readonly worker: Worker;
  /** The exit code, once the thread is over. */
  readonly ended: Promise<number>;
  /** Its errors. */
  readonly errors: Error[];
  /** What it tells next. */
  next(): Promise<unknown>;
  tell(it: unknown): void;
}

const threads = new Set<Thread>();

/**
 * Runs `body` in a worker thread; there, `tell(it)` and `await told()` talk to the test,
 * and `over()` lets the thread end when it has nothing left to do.
 */
export function spawn(body: string, data: unknown = {}): Thread {
  const worker = new Worker(PROGRAM.replace("BODY", () => body), {
    eval: true,
    workerData: { library: LIBRARY, data },
  });
  const inbox: unknown[] = [];
  const waiting: {
    resolve(it: unknown): void;
    reject(error: Error): void;
  }[] = [];
  const errors: Error[] = [];
  worker.on("message", (it: unknown) => {
    const next = waiting.shift();
    if (next) next.resolve(it);
    else inbox.push(it);
  });
  worker.on("error", (error: Error) => {
    errors.push(error);
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  const thread: Thread = {
    worker,
    errors,
    ended: new Promise((resolve) =>
      worker.on("exit", (code: number) => {
        threads.delete(thread);
        resolve(code);
      })
    ),
    next: () =>
      inbox.length > 0 ? Promise.resolve(inbox.shift()) : within(
        new Promise((resolve, reject) => waiting.push({ resolve, reject })),
        "a word of the thread",
      ),
    tell: (it) => worker.postMessage(it),
  };
  threads.add(thread);
  return thread;
}

/** Ends the threads that are left, and closes what the test opened. */
export async function cleanUp(): Promise<void> {
  for (const socket of open.splice(0)) socket.close();
  for (const { worker } of [...threads]) await worker.terminate();
  threads.clear();
  await until(() => context.resources.sockets === 0, "sockets are gone");
}

const open: { close(): void }[] = [];

/** Closes the socket after the test. */
export function use<T extends { close(): void; linger: number }>(socket: T): T {
  socket.linger = 0;
  open.push(socket);
  return socket;
}

let names = 0;
export const fresh = (): string => `inproc://threads-${++names}`;
