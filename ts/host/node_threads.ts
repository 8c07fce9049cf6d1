/**
 * LAYER 1 on Node: `Threads` on node:worker_threads.
 *
 * Owns how a thread learns that another has ended: by a message port between the two, which
 * closes then. `BroadcastChannel` carries no ports, so `postMessageToThread` hands them over;
 * older versions of Node lack it, and do not tell.
 */
import type * as workers from "node:worker_threads";
import type { Threads } from "./host.ts";
import { builtin } from "./node_builtins.ts";
import { onProcess } from "./process_events.ts";
import { CHANNEL } from "./threads.ts";

/** Node 20.19 and 22.5 have it. */
interface Newer {
  postMessageToThread?(
    thread: number,
    value: unknown,
    transfer: workers.Transferable[],
  ): Promise<void>;
}
const threads = () => builtin("node:worker_threads") as typeof workers & Newer;
const KEY = "zeromq-wasm.port";

/** Who waits for the port of a connection. */
const expected = new Map<string, (port: workers.MessagePort) => void>();

function expect(id: string, take: (port: workers.MessagePort) => void): void {
  // Emitted by Node; @types/node does not know it yet.
  if (expected.size === 0) emitter().on("workerMessage", receive);
  expected.set(id, take);
}

function forget(id: string): void {
  if (expected.delete(id) && expected.size === 0) {
    emitter().off("workerMessage", receive);
  }
}

const emitter = () => process as NodeJS.EventEmitter;

function receive(message: unknown): void {
  const { [KEY]: id, port } = (message ?? {}) as {
    [KEY]?: string;
    port?: workers.MessagePort;
  };
  if (id === undefined || !port) return;
  const take = expected.get(id);
  forget(id);
  // Without a taker the connection is over: the other end may know.
  if (take) take(port);
  else port.close();
}

function watch(port: workers.MessagePort, ended: () => void): void {
  port.on("close", ended);
  port.start();
  port.unref();
}

function tie(
  id: string,
  thread: number | undefined,
  ended: () => void,
): () => void {
  if (thread === undefined) {
    let port: workers.MessagePort | undefined;
    expect(id, (given) => watch(port = given, ended));
    return () => {
      forget(id);
      port?.close();
    };
  }
  const { port1, port2 } = new (threads().MessageChannel)();
  watch(port1, ended);
  // Bun closes the other end of a port that is collected.
  let kept: workers.MessagePort | undefined;
  threads().postMessageToThread!(thread, { [KEY]: id, port: port2 }, [port2])
    .catch(
      () => {
        // It ended before, or closed the connection: its port is closed in any case. On Bun
        // it may as well be a Web Worker, which cannot be told.
        if ("Bun" in globalThis) kept = port2;
        else port1.close();
      },
    );
  return () => {
    port1.close();
    kept?.close();
  };
}

export const nodeThreads: Threads = {
  get self() {
    return threads().threadId;
  },
  get isMain() {
    return threads().isMainThread;
  },
  lossy: false,
  open(receive) {
    const channel = new (threads().BroadcastChannel)(CHANNEL);
    channel.onmessage = (event: unknown) =>
      receive((event as { data: unknown }).data);
    // Not typed everywhere; Bun has it too.
    (channel as unknown as { unref?(): void }).unref?.();
    return {
      send: (message) => channel.postMessage(message),
      close: () => channel.close(),
    };
  },
  atExit: (task) => onProcess("exit", task),
  get tie() {
    return typeof threads().postMessageToThread === "function"
      ? tie
      : undefined;
  },
};
