/**
 * LAYER 1 on Deno: `Host` on Deno's own API, without any node: import.
 *
 * Owns everything but the streams (deno_stream.ts, deno_listener.ts) and files (deno_files.ts):
 * connecting within the granted permissions, resolving, permission checks, scheduling and the life
 * of the process.
 */
import { Attempts, waitsFor } from "./attempts.ts";
import { errno } from "./deno_errors.ts";
import { denoDatagrams } from "./deno_datagram.ts";
import { denoFiles, guard } from "./deno_files.ts";
import { largeMemory } from "./deno_direct.ts";
import { glance, later } from "./deno_glance.ts";
import { granted, stateOf } from "./deno_permissions.ts";
import {
  clearInterval,
  deno,
  getRandomValues,
  globals,
  now,
  release,
  setImmediate,
  setInterval,
  setTimer,
  toError,
} from "./deno_globals.ts";
import { closedListeners, DenoStreamListener } from "./deno_listener.ts";
import { DenoConnection } from "./deno_stream.ts";
import { canHaveThreads, denoThreads } from "./deno_threads.ts";
import { marksEarly } from "./deno_v8.ts";
import type { DenoConn, PermissionDescriptor } from "./deno_types.ts";
import type { Connection, Host, HostAddress, Listener } from "./host.ts";
import { describe, hostError, pathError } from "./messages.ts";
import { onProcess } from "./process_events.ts";
import { listenAt, listenAtSync } from "./socket_file.ts";

/** Longest interval well below the limit of 2^31-1, above which it would fire at once. */
const FOREVER_MS = 2 ** 30;

const isLiteral = (host: string): boolean =>
  host.includes(":") || /^[\d.]+$/.test(host);

async function dialTcp(
  address: HostAddress & { kind: "tcp" },
  signal: AbortSignal,
): Promise<DenoConn> {
  const { host, port, family } = address;
  const what = `connect ${describe(address)}`;
  // Deno throws a RangeError; the kernel would refuse.
  if (port === 0) throw hostError(what, "ECONNREFUSED");
  if (family === 0 || isLiteral(host)) {
    return deno.connect({ hostname: host, port, signal });
  }
  // Looking a name up ourselves gives the right family at once, but needs more permissions
  // than the usual --allow-net=name:port, and asking for them could prompt the user.
  const open = deno.permissions.querySync({ name: "net" }).state === "granted";
  const addresses = open
    ? await resolve(host, family, signal).catch(() => [])
    : [];
  let failure: unknown;
  for (const hostname of addresses) {
    try {
      return await deno.connect({ hostname, port, signal });
    } catch (cause) {
      failure = cause;
    }
  }
  if (failure !== undefined) throw failure;
  const conn = await deno.connect({ hostname: host, port, signal });
  if (conn.remoteAddr.hostname?.includes(":") === (family === 6)) return conn;
  release(conn);
  throw hostError(
    what,
    "ENOTFOUND",
    undefined,
    `no IPv${family} address (or needs --allow-net)`,
  );
}

/** A source that leaves the choice to the system, as an endpoint has it. */
const ANY_SOURCE = /^(\*|0\.0\.0\.0|\[::\]):[0*]$/;

function noSource(what: string): Error {
  const detail = "Deno cannot set a source address";
  return hostError(what, "EOPNOTSUPP", undefined, detail);
}

function connect(
  address: HostAddress,
  source?: { host: string; port: number },
): Connection {
  const what = `connect ${describe(address)}`;
  const connection = new DenoConnection(what, undefined);
  const anySource = source === undefined ||
    (source.port === 0 && /^(0\.0\.0\.0|::)$/.test(source.host));
  const over = address.kind === "tcp"
    ? attempts.begin((reason) => connection.giveUp(reason), what)
    : () => {};
  void connection.dial((signal) => {
    const error = pathError("connect", address);
    if (error !== undefined) throw error;
    if (address.kind === "ipc") {
      return deno.connect({ transport: "unix", path: address.path });
    }
    if (!anySource) throw noSource(what);
    return dialTcp(address, signal);
  }).finally(over);
  return connection;
}

async function listen(
  address: HostAddress,
  backlog: number,
): Promise<Listener> {
  const error = pathError("listen", address);
  if (error !== undefined) throw error;
  return await listenAt(address, denoFiles(), async (at) => {
    // Not for a fresh name: nobody has had it.
    if (at === address) await closedListeners();
    return listenNow(address, at, backlog);
  });
}

function listenSync(address: HostAddress, backlog: number): Listener {
  const error = pathError("listen", address);
  if (error !== undefined) throw error;
  return listenAtSync(
    address,
    denoFiles(),
    (at) => listenNow(address, at, backlog),
  );
}

/** Listens for `address` where `at` says. */
function listenNow(
  address: HostAddress,
  at: HostAddress,
  backlog: number,
): Listener {
  const what = describe(address);
  try {
    const listener = at.kind === "ipc"
      ? deno.listen({ transport: "unix", path: at.path })
      : deno.listen({
        hostname: at.host,
        port: at.port,
        tcpBacklog: backlog,
      });
    return new DenoStreamListener(listener, `connection accepted by ${what}`);
  } catch (cause) {
    throw toError(`listen ${what}`, cause);
  }
}

/** Deno offers no getaddrinfo: DNS (and /etc/hosts, which its resolver reads for itself). */
async function resolve(
  name: string,
  family: 4 | 6 | 0,
  signal?: AbortSignal,
): Promise<string[]> {
  if (isLiteral(name)) return [name];
  if (name === "localhost") {
    return family === 4
      ? ["127.0.0.1"]
      : family === 6
      ? ["::1"]
      : ["127.0.0.1", "::1"];
  }
  const types = ([["A", 4], ["AAAA", 6]] as const).filter(([, of]) =>
    family === 0 || family === of
  );
  const answers = await Promise.allSettled(
    types.map(([type]) => deno.resolveDns(name, type, { signal })),
  );
  const found = answers.flatMap((answer) =>
    answer.status === "fulfilled" ? answer.value : []
  );
  if (found.length > 0) return found;
  const failed = answers.find((answer) => answer.status === "rejected");
  const error = toError(`resolve ${name}`, failed?.reason);
  // No record is "NotFound" here; what is neither that nor a permission may pass.
  if (error.code === "EACCES") throw error;
  const missing = failed === undefined ||
    (failed.reason as Error).name === "NotFound";
  throw hostError(
    `resolve ${name}`,
    missing ? "ENOTFOUND" : "EAI_AGAIN",
    failed?.reason,
  );
}

function checkConnect(address: HostAddress, source?: string): void {
  if (source !== undefined && !ANY_SOURCE.test(source)) {
    throw noSource(`connect ${describe(address)}`);
  }
  const needed: PermissionDescriptor[] = [];
  let flag: string;
  if (address.kind === "ipc") {
    flag = "--allow-net";
    needed.push({ name: "net" });
    if (!address.path.startsWith("\0")) {
      flag = `--allow-net, --allow-read and --allow-write=${address.path}`;
      needed.push({ name: "read", path: address.path }, {
        name: "write",
        path: address.path,
      });
    }
  } else {
    const { host, port } = address;
    const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    flag = `--allow-net=${target}`;
    needed.push({ name: "net", host: target });
  }
  for (const descriptor of needed) {
    if (!granted(descriptor)) {
      throw hostError(
        `connect ${describe(address)}`,
        "EACCES",
        undefined,
        `needs ${flag}`,
      );
    }
  }
}

function random(bytes: Uint8Array): void {
  for (let start = 0; start < bytes.length; start += 65536) { // the most one call may ask for
    const part = bytes.subarray(start, start + 65536) as Uint8Array<
      ArrayBuffer
    >;
    getRandomValues(part);
  }
}

let keptBy = 0;

function keepAlive(): () => void {
  const timer = setInterval(() => {}, FOREVER_MS);
  keptBy++;
  return () => {
    clearInterval(timer);
    keptBy--;
  };
}

const attempts = new Attempts({
  now: () => now(),
  later: (task) => void setImmediate(task),
  setTimer,
}, (count) => keptBy > 0 || waitsFor(count));

export function denoHost(): Host {
  if (!globals.setImmediate) {
    throw new Error(
      `zeromq-wasm needs Deno 2.4 or later; this is ${deno.version.deno}`,
    );
  }
  return {
    name: "deno",
    readsInPlace: true,
    marksEarly: marksEarly(deno.version.v8, deno.build.os),
    clearsMemory: true,
    largeMemory,
    returnsMemory: deno.build.os === "linux",
    glance,
    datagrams: denoDatagrams,
    ...(canHaveThreads() && { threads: denoThreads }),
    connect,
    listen,
    listenSync,
    resolve,
    checkConnect,
    interfaces: () =>
      guard(
        "list network interfaces",
        () => {
          // Every bind to an address looks here first: that must not prompt.
          const needed = { name: "sys", kind: "networkInterfaces" } as const;
          if (stateOf(needed) !== "granted") {
            throw hostError(
              "list network interfaces",
              "EACCES",
              undefined,
              "needs --allow-sys=networkInterfaces",
            );
          }
          return deno.networkInterfaces().map(({ name, address, family }) => (
            {
              name,
              address,
              family: family === "IPv6" ? 6 as const : 4 as const,
            }
          ));
        },
      ),
    makeTempDir: () =>
      guard(
        "make a temporary directory",
        () => deno.makeTempDirSync({ prefix: "zmq-" }),
      ),
    removeTempDir: (path) =>
      guard(`remove ${path}`, () => deno.removeSync(path)),
    now,
    random,
    soon: (task) => globals.process.nextTick(task),
    later,
    setTimer,
    keepAlive,
    // Not `beforeunload`, which comes before the program's own handlers of this.
    beforeExit: (task) => onProcess("beforeExit", task),
    env: (variable) =>
      stateOf({ name: "env", variable }) === "granted"
        ? deno.env.get(variable)
        : undefined,
    errno: (code) => errno(code, deno.build.os),
    warn: (message) => globals.process.emitWarning(message),
  };
}
