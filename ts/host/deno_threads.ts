/**
 * LAYER 1 on Deno: `Threads` on the `BroadcastChannel` of its Node module, which, unlike the
 * global one, does not keep the process alive.
 *
 * It drops messages that a busy thread does not fetch in time: 256 are kept. A worker that was
 * terminated, or (a Web Worker) failed or closed, does not tell. Its Web Locks would, but a
 * lock that is held keeps the process alive.
 */
import { deno, globals } from "./deno_globals.ts";
import type { DenoChannel } from "./deno_types.ts";
import type { Threads } from "./host.ts";
import { onProcess } from "./process_events.ts";
import { CHANNEL } from "./threads.ts";

/**
 * Before 2.7 such a channel keeps the process alive, and before 2.6 to make one ends it. By the
 * version, as the module with the class takes 20 ms to load.
 */
export function canHaveThreads(version: string = deno.version.deno): boolean {
  const [major, minor] = version.split(".").map(Number);
  return major! > 2 || (major === 2 && minor! >= 7);
}

/**
 * A channel that nobody listens to. It is not closed: one that is opened while Deno still closes
 * the last of the thread cannot send.
 */
let idle: DenoChannel | undefined;

function newChannel(): DenoChannel {
  const { BroadcastChannel } = globals.process.getBuiltinModule(
    "node:worker_threads",
  );
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  return channel;
}

export const denoThreads: Threads = {
  self: 0,
  // Its Node module takes Web Workers for the main thread.
  isMain: !("DedicatedWorkerGlobalScope" in globalThis),
  lossy: true,
  open(receive) {
    const channel = idle ?? newChannel();
    idle = undefined;
    channel.onmessage = ({ data }) => receive(data);
    return {
      send: (message) => channel.postMessage(message),
      close() {
        channel.onmessage = null;
        idle = channel;
      },
    };
  },
  atExit: (task) => onProcess("exit", task),
};
