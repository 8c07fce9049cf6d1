/**
 * LAYER 1 on Node: `Host` on node:net.
 *
 * Owns the translation between net.Socket's stream semantics and `Connection`: what "the bytes
 * are gone" means, half-open ends, errors as POSIX names, everything unreferenced. Node emits
 * all of its events from later ticks, which is what keeps callbacks off WebAssembly's stack.
 */
import * as crypto from "node:crypto";
import * as dns from "node:dns";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type {
  Connection,
  ConnectionEvents,
  Host,
  HostAddress,
  HostError,
  HostTimer,
  Listener,
} from "./host.ts";
import { describe, hostError, pathError } from "./messages.ts";
import { nodeDatagrams } from "./node_datagram.ts";
import { codeOf, toHostError } from "./node_errors.ts";

/** How long a closed socket may try to send what it still holds to a peer that does not read. */
const LINGER_MS = 30_000;
/** Longest interval well below Node's limit of 2^31-1, above which it would fire at once. */
const FOREVER_MS = 2 ** 30;

function endpoint(host: string | undefined, port: number | undefined) {
  return host === undefined || port === undefined ? undefined : { host, port };
}

class NodeConnection implements Connection {
  local: { host: string; port: number } | undefined;
  remote: { host: string; port: number } | undefined;
  readonly #socket: net.Socket;
  readonly #what: string;
  #events: ConnectionEvents | undefined;
  /** An outcome that came before `start`. */
  #early: { error: HostError | undefined } | undefined;
  #over = false;
  /** Writes whose callback has not run yet; and whether the last of them holds memory. */
  #unconfirmed = 0;
  #holding = false;

  constructor(socket: net.Socket, what: string, accepted: boolean) {
    this.#socket = socket;
    this.#what = what;
    socket.unref();
    if (accepted) this.#readAddresses();
    else {
      socket.once("connect", () => {
        this.#readAddresses();
        // An attempt of happy eyeballs may have replaced the handle since the constructor.
        socket.unref();
        this.#events?.connected();
      });
    }
    socket.on("end", () => this.#events?.ended());
    socket.on("error", (cause) => this.#finish(toHostError(this.#what, cause)));
    socket.on("close", () => this.#finish(undefined));
  }

  /** For a connection that could not even be tried. */
  fail(error: HostError): void {
    process.nextTick(() => this.#finish(error));
    this.#socket.destroy();
  }

  start(events: ConnectionEvents): void {
    if (this.#over) {
      const early = this.#early;
      if (early !== undefined) {
        process.nextTick(() => events.closed(early.error));
      }
      return;
    }
    this.#events = events;
    this.#socket.on("data", (bytes: Uint8Array) => this.#events?.data(bytes));
    this.#socket.resume(); // pauseOnConnect keeps an accepted socket's bytes until here
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    // `closed` tells of the failure; the bytes have nowhere to go.
    if (this.#over || !socket.writable) return true;
    this.#unconfirmed++;
    socket.write(bytes, this.#written);
    // libuv tries the write at once: a queue that is empty now means the kernel took it all.
    this.#holding = socket.writableLength !== 0;
    return !this.#holding;
  }

  /**
   * Node calls this also, one tick late, for writes that were done at once; as callbacks keep
   * the order of writes and nobody writes while memory is held, the held one is the last.
   */
  readonly #written = (error?: Error | null): void => {
    this.#unconfirmed--;
    if (this.#unconfirmed > 0 || !this.#holding || error) return;
    this.#holding = false;
    this.#events?.drained();
  };

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on);
  }

  setKeepAlive(on: boolean, idleSeconds: number): void {
    this.#socket.setKeepAlive(on, idleSeconds * 1000);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#events = undefined;
    const socket = this.#socket;
    if (socket.connecting) {
      socket.destroy();
      return;
    }
    // Bytes left unread would turn our FIN into a RST that can destroy what we sent last.
    socket.resume();
    socket.destroySoon();
    if (!socket.destroyed) {
      const linger = setTimeout(() => socket.destroy(), LINGER_MS).unref();
      socket.once("close", () => clearTimeout(linger));
    }
  }

  #finish(error: HostError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    const events = this.#events;
    this.#events = undefined;
    if (events === undefined) this.#early = { error };
    else events.closed(error);
  }

  #readAddresses(): void {
    const socket = this.#socket;
    this.local = endpoint(socket.localAddress, socket.localPort);
    this.remote = endpoint(socket.remoteAddress, socket.remotePort);
  }
}

function connect(
  address: HostAddress,
  source?: { host: string; port: number },
): Connection {
  const what = `connect ${describe(address)}`;
  const socket = new net.Socket({ allowHalfOpen: true });
  const connection = new NodeConnection(socket, what, false);
  const error = pathError("connect", address);
  if (error !== undefined) {
    connection.fail(error);
    return connection;
  }
  try {
    if (address.kind === "ipc") socket.connect({ path: address.path });
    else {
      const options: net.TcpSocketConnectOpts = {
        host: address.host,
        port: address.port,
        family: address.family,
      };
      // For a literal there is nothing to select; for a name Node's default holds.
      if (net.isIP(address.host) !== 0) options.autoSelectFamily = false;
      if (source !== undefined) {
        options.localAddress = source.host;
        if (source.port !== 0) options.localPort = source.port;
      }
      socket.setNoDelay(true);
      socket.connect(options);
    }
    socket.unref(); // again: `connect` is what makes the handle
  } catch (cause) {
    connection.fail(toHostError(what, cause));
  }
  return connection;
}

class NodeListener implements Listener {
  readonly local: { host: string; port: number } | undefined;
  readonly #server: net.Server;
  readonly #what: string;
  #onConnection: ((connection: Connection) => void) | undefined;
  #waiting: Connection[] = [];
  #closed = false;

  constructor(server: net.Server, what: string) {
    this.#server = server;
    this.#what = what;
    const bound = server.address();
    if (bound !== null && typeof bound === "object") {
      this.local = { host: bound.address, port: bound.port };
    }
    server.on("connection", (socket) => this.#accept(socket));
    // From here on only `accept` fails (EMFILE and the like); libuv tries again by itself.
    server.on("error", () => {});
  }

  start(onConnection: (connection: Connection) => void): void {
    this.#onConnection = onConnection;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) {
      process.nextTick(() => waiting.forEach(onConnection));
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
  }

  #accept(socket: net.Socket): void {
    if (this.#closed) {
      socket.on("error", () => {}).destroy();
      return;
    }
    const connection = new NodeConnection(socket, this.#what, true);
    if (this.#onConnection === undefined) this.#waiting.push(connection);
    else this.#onConnection(connection);
  }
}

function listen(address: HostAddress, backlog: number): Promise<Listener> {
  const what = `listen ${describe(address)}`;
  return new Promise((resolve, reject) => {
    const bad = pathError("listen", address);
    if (bad !== undefined) throw bad;
    const server = net.createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
    });
    const failed = (cause: Error) => reject(listenError(what, address, cause));
    server.once("error", failed);
    server.once("listening", () => {
      server.off("error", failed);
      server.unref();
      resolve(
        new NodeListener(server, `connection accepted by ${describe(address)}`),
      );
    });
    // exclusive: in a cluster worker the port must be bound here, not shared by the primary.
    const shared = { backlog, exclusive: true };
    try {
      if (address.kind === "ipc") {
        server.listen({ ...shared, path: address.path });
      } else {server.listen({
          ...shared,
          host: address.host,
          port: address.port,
        });}
    } catch (cause) {
      reject(toHostError(what, cause));
    }
  });
}

function listenError(
  what: string,
  address: HostAddress,
  cause: Error,
): HostError {
  const code = codeOf(cause);
  // libuv reports a missing directory as EACCES, to look the same as on Windows.
  if (
    code === "EACCES" && address.kind === "ipc" &&
    !fs.existsSync(path.dirname(address.path))
  ) {
    return hostError(what, "ENOENT", cause);
  }
  return hostError(what, code, cause);
}

async function resolve(name: string, family: 4 | 6 | 0): Promise<string[]> {
  try {
    const found = await dns.promises.lookup(name, { all: true, family });
    return found.map((entry) => entry.address);
  } catch (cause) {
    throw toHostError(`resolve ${name}`, cause);
  }
}

function interfaces(): { name: string; address: string; family: 4 | 6 }[] {
  return Object.entries(os.networkInterfaces()).flatMap(([name, entries]) =>
    (entries ?? []).map((entry) => ({
      name,
      address: entry.address,
      family: entry.family === "IPv6" ? 6 as const : 4 as const,
    }))
  );
}

function makeTempDir(): string {
  try {
    return fs.mkdtempSync(path.join(os.tmpdir(), "zmq-"));
  } catch (cause) {
    throw toHostError(`make a directory in ${os.tmpdir()}`, cause);
  }
}

function remove(target: string): void {
  try {
    const found = fs.lstatSync(target, { throwIfNoEntry: false });
    if (found?.isDirectory()) fs.rmdirSync(target);
    else if (found !== undefined) fs.unlinkSync(target);
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") {
      throw toHostError(`remove ${target}`, cause);
    }
  }
}

function setTimer(task: () => void, ms: number): HostTimer {
  const timer = setTimeout(task, ms).unref();
  return { cancel: () => clearTimeout(timer) };
}

function keepAlive(): () => void {
  // A paused socket keeps no loop alive even when referenced; a timer does.
  const timer = setInterval(() => {}, FOREVER_MS);
  return () => clearInterval(timer);
}

export const nodeHost: Host = {
  name: "node",
  datagrams: nodeDatagrams,
  connect,
  listen,
  resolve,
  checkConnect: () => {}, // Node's permission model does not tell beforehand
  interfaces,
  makeTempDir,
  remove,
  now: () => performance.now(),
  random: (bytes) => void crypto.randomFillSync(bytes),
  soon: (task) => process.nextTick(task),
  later: (task) => void setImmediate(task),
  setTimer,
  keepAlive,
  // Emitted again each time the loop runs dry, so that sockets made later get their turn too.
  beforeExit: (task) => void process.on("beforeExit", () => task()),
  env: (name) => process.env[name],
  errno: (code) =>
    (os.constants.errno as Readonly<Record<string, number>>)[code],
};
