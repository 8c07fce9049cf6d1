/**
 * LAYER 1 on Node: `Host` on node:net.
 *
 * Owns everything but the byte streams (node_stream.ts), listening (node_listen.ts) and files
 * (node_paths.ts): connecting, names, scheduling and the life of the process.
 */
import type * as net from "node:net";
import { Attempts, waitsFor } from "./attempts.ts";
import { connectInside } from "./bun_inside.ts";
import { largeMemory } from "./bun_memory.ts";
import type { Connection, Host, HostAddress, HostTimer } from "./host.ts";
import { describe, pathError } from "./messages.ts";
import { builtin } from "./node_builtins.ts";
import { nodeDatagrams } from "./node_datagram.ts";
import { toHostError } from "./node_errors.ts";
import { glance } from "./node_glance.ts";
import { listen, listenSync } from "./node_listen.ts";
import { NodeConnection, readsInPlace } from "./node_stream.ts";
import { makeTempDir, removeTempDir } from "./node_paths.ts";
import { random } from "./node_random.ts";
import { withNamedScope } from "./node_scopes.ts";
import { nodeThreads } from "./node_threads.ts";
import {
  clearInterval,
  clearTimeout,
  hrtime,
  nextTick,
  performanceNow,
  setImmediate,
  setInterval,
  setTimeout,
} from "./node_timers.ts";
import { marksEarly } from "./node_v8.ts";
import { onProcess } from "./process_events.ts";

/** Longest interval well below Node's limit of 2^31-1, above which it would fire at once. */
const FOREVER_MS = 2 ** 30;

const bun = "Bun" in globalThis;

function connect(
  address: HostAddress,
  source?: { host: string; port: number },
): Connection {
  const what = `connect ${describe(address)}`;
  const connection = NodeConnection.create(what);
  const { socket } = connection;
  const error = pathError("connect", address);
  if (error !== undefined) {
    connection.fail(error);
    return connection;
  }
  try {
    if (address.kind === "ipc") socket.connect({ path: address.path });
    else {
      const options: net.TcpSocketConnectOpts = {
        host: withNamedScope(address.host),
        port: address.port,
        family: address.family,
      };
      // For a literal there is nothing to select; for a name Node's default holds.
      if (builtin("node:net").isIP(options.host!) !== 0) {
        options.autoSelectFamily = false;
      }
      if (source !== undefined) {
        options.localAddress = withNamedScope(source.host);
        if (source.port !== 0) options.localPort = source.port;
      }
      socket.setNoDelay(true);
      const isDone = bun && source === undefined &&
        connectInside(socket, address.host, address.port);
      if (!isDone) {
        socket.connect(options);
        const over = attempts.begin((reason) => socket.destroy(reason), what);
        socket.once("connect", over).once("close", over);
      }
    }
    socket.unref(); // again: `connect` is what makes the handle
  } catch (cause) {
    connection.fail(toHostError(what, cause));
  }
  return connection;
}

async function resolve(name: string, family: 4 | 6 | 0): Promise<string[]> {
  try {
    const found = await builtin("node:dns").promises.lookup(name, {
      all: true,
      family,
    });
    return found.map((entry) => entry.address);
  } catch (cause) {
    throw toHostError(`resolve ${name}`, cause);
  }
}

function interfaces(): { name: string; address: string; family: 4 | 6 }[] {
  return Object.entries(builtin("node:os").networkInterfaces()).flatMap((
    [name, entries],
  ) =>
    (entries ?? []).map((entry) => ({
      name,
      address: entry.address,
      family: entry.family === "IPv6" ? 6 as const : 4 as const,
    }))
  );
}

function setTimer(task: () => void, ms: number): HostTimer {
  const timer = setTimeout(task, ms).unref();
  return { cancel: () => clearTimeout(timer) };
}

const attempts = new Attempts(
  { now: sinceBoot, later: (task) => void setImmediate(task), setTimer },
  (count) => keptBy > 0 || waitsFor(count),
);

/** What keeps the process alive, while anyone wants it to. */
let keeper: NodeJS.Timeout | undefined;
let keptBy = 0;
/** An immediate waits that looks at the end of this turn whether a keeper is wanted. */
let looking = false;

function keepAlive(): () => void {
  // A paused socket keeps no loop alive even when referenced; a timer does. One for all,
  // because every wait of a program begins and ends here; and none for what is over in this
  // turn, as most binds are: the first timer of a process takes a third of a millisecond.
  if (keptBy++ === 0) keeper?.ref();
  if (!keeper && !looking) look();
  return () => {
    if (--keptBy > 0) return;
    keeper?.unref();
    // The next wait often begins before.
    if (!looking) look();
  };
}

/** Not unreferenced: Bun forgets such an immediate when nothing else keeps the process alive. */
function look(): void {
  looking = true;
  setImmediate(keepOrNot);
}

function keepOrNot(): void {
  looking = false;
  if (keptBy > 0) keeper ??= setInterval(() => {}, FOREVER_MS);
  else {
    clearInterval(keeper);
    keeper = undefined;
  }
}

/**
 * Not `performance.now`, which loads node:perf_hooks: a tenth of the time to the first bound
 * socket. Where this is called often, V8 hardly ever makes the array.
 */
function sinceBoot(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** As Node does with its pool. What it needs takes 1 to 4 ms to load, once. */
function keep(buffer: ArrayBufferLike): boolean {
  try {
    builtin("node:worker_threads").markAsUntransferable(buffer);
    return true;
  } catch (error) {
    if (!bun) throw error;
    return false; // older Buns have no such mark
  }
}

export const nodeHost: Host = {
  name: "node",
  readsInPlace,
  ...(!bun && { marksEarly: marksEarly(process.versions["v8"]) }),
  // V8 has up to 64 bytes in the object, but for 64 a view takes half as long. JavaScriptCore has
  // up to 1000 there; of 1 KB it received 600 thousand a second by themselves, 700 shared.
  ownBytes: bun ? 1000 : 32,
  keep,
  returnsMemory: !bun && process.platform === "linux",
  ...(bun && process.platform === "linux" && { largeMemory: largeMemory() }),
  shiftsSlowly: bun,
  tellsOneByOne: true,
  datagrams: nodeDatagrams,
  threads: nodeThreads,
  connect,
  listen,
  get listenSync() {
    return listenSync();
  },
  glance,
  resolve,
  checkConnect: () => {}, // Node's permission model does not tell beforehand
  interfaces,
  makeTempDir,
  removeTempDir,
  now: performanceNow ?? sinceBoot,
  random,
  soon: (task) => nextTick(task),
  later: (task) => void setImmediate(task),
  setTimer,
  keepAlive,
  beforeExit: (task) => onProcess("beforeExit", task),
  env: (name) => process.env[name],
  errno: (code) =>
    (builtin("node:os").constants.errno as Readonly<Record<string, number>>)[
      code
    ],
  warn: (message) => process.emitWarning(message),
};
