/**
 * POSIX sockets on top of a Host: which connection or listener stands behind each
 * file descriptor of the module. Owns every connection and listener; `close` is
 * their one release.
 *
 * Nothing here enters the module: what happens to an fd is told to a `Kernel`
 * (the reactor), which does. Calls from the module arrive while it is on the stack,
 * so they only start things.
 */
import {
  type Connection,
  type Host,
  type HostAddress,
  HostError,
  type Listener,
} from "../host/host.ts";
import { Spares } from "./ahead.ts";
import type { Allocate, Bodies, Body } from "./bodies.ts";
import { DatagramTable } from "./datagram.ts";
import { connectErrno, errnoOf, streamErrno } from "./errno.ts";
import { Failures } from "./failures.ts";
import { Holds } from "./holds.ts";
import type { Kernel, SocketName } from "./kernel.ts";
import { Rests } from "./rests.ts";
import { Stages } from "./stages.ts";
import { Stream, type Traffic } from "./stream.ts";

const GONE = -errnoOf("ECONNRESET");

export class FdTable {
  readonly #host: Host;
  readonly #kernel: Kernel;
  readonly #streams = new Map<number, Stream>();
  readonly #listeners = new Map<number, Listener>();
  /** Directories made for one ipc socket: by its path, later by its fd. */
  readonly #temporary = new Map<string | number, string>();
  /** Listeners obtained before libzmq asks for them, by their bind target. */
  readonly #prepared = new Map<string, Listener | HostError>();
  /** The bind under way for each target, until it is settled. */
  readonly #turns = new Map<string, { over: Promise<void>; end(): void }>();
  readonly #traffic: Traffic;
  readonly datagrams: DatagramTable;
  readonly failures: Failures = new Failures();

  /** Who connects to a path that is no file's: inproc in other threads. */
  readonly outside: Map<string, () => Connection> = new Map();

  /** Writes made so far. */
  get writes(): number {
    return this.#traffic.writes;
  }

  /** Why the interfaces could not be listed when libzmq last looked. */
  forbidden: HostError | undefined;

  /** Connections that have not written all they have. */
  get holds(): Holds {
    return this.#traffic.holds;
  }

  /** `allocate` makes memory for large messages that arrive. */
  constructor(
    host: Host,
    kernel: Kernel,
    allocate: Allocate,
  ) {
    this.#host = host;
    this.#kernel = kernel;
    this.#traffic = {
      stages: new Stages(),
      rests: new Rests(host),
      spares: new Spares(allocate, host.clearsMemory ?? false),
      writes: 0,
      staged: new Uint8Array(0),
      holds: new Holds(),
      now: () => host.now(),
    };
    this.datagrams = new DatagramTable(host, kernel);
  }

  /** Open connections and datagram sockets. */
  get connections(): number {
    return this.#streams.size + this.datagrams.size;
  }

  /** Open listeners, with those that libzmq has not taken yet. */
  get listeners(): number {
    return this.#listeners.size + this.#prepared.size;
  }

  /**
   * Listens where `target` ("4 127.0.0.1 5555", "1 /path") says, for the `listen`
   * of the module that follows. A failure is kept too: libzmq reports it. Others who
   * want the same (any port, for example) wait until this one is settled.
   */
  async prepare(target: string, backlog: number): Promise<void> {
    const address = parseTarget(target);
    for (let turn; (turn = this.#turns.get(target));) await turn.over;
    let end = () => {};
    const over = new Promise<void>((resolve) => end = resolve);
    this.#turns.set(target, { over, end });
    try {
      this.#prepared.set(target, await this.#host.listen(address, backlog));
    } catch (error) {
      this.#prepared.set(target, error as HostError);
    }
  }

  /** The same, at once; nobody else may be at it. */
  prepareSync(
    target: string,
    listen: (address: HostAddress) => Listener,
  ): void {
    const address = parseTarget(target);
    try {
      this.#prepared.set(target, listen(address));
    } catch (error) {
      this.#prepared.set(target, error as HostError);
    }
  }

  /** The code with which `prepare` failed for this target, if it did. */
  failure(target: string): string | undefined {
    const prepared = this.#prepared.get(target);
    return prepared instanceof Error ? prepared.code : undefined;
  }

  /** Whether a bind to this target is under way. */
  isBusy(target: string): boolean {
    return this.#turns.has(target);
  }

  /** Has a listener ready for the `listen` of the module that follows. */
  offer(target: string, listener: Listener): void {
    this.#prepared.set(target, listener);
  }

  /** Why `prepare` failed for this target, if it did; the listener nobody took is closed. */
  settle(target: string): HostError | undefined {
    const prepared = this.#prepared.get(target);
    this.#prepared.delete(target);
    this.#turns.get(target)?.end();
    this.#turns.delete(target);
    const error = prepared instanceof Error ? prepared : undefined;
    if (prepared !== error) (prepared as Listener).close();
    if (target.startsWith("1 ")) this.#removeTemporary(target.slice(2));
    return error;
  }

  listen(
    fd: number,
    family: number,
    host: string,
    port: number,
  ): number {
    const target = family === 1 ? `1 ${host}` : `${family} ${host} ${port}`;
    const prepared = this.#prepared.get(target);
    if (prepared === undefined) return -errnoOf("EADDRNOTAVAIL");
    if (prepared instanceof Error) return -errnoOf(prepared.code);
    this.#prepared.delete(target);
    this.failures.forget(fd);
    this.#listeners.set(fd, prepared);
    const made = this.#temporary.get(host);
    if (made !== undefined) {
      this.#temporary.delete(host);
      this.#temporary.set(fd, made);
    }
    prepared.start((connection) => this.#accept(fd, connection));
    return prepared.local?.port ?? 0;
  }

  #accept(listener: number, connection: Connection): void {
    const fd = this.#kernel.incoming(
      listener,
      connection.local,
      connection.remote,
    );
    if (fd < 0) {
      connection.close();
      return;
    }
    this.#adopt(fd, connection, true);
  }

  connect(
    fd: number,
    family: number,
    host: string,
    port: number,
    source: SocketName | undefined,
  ): number {
    const address: HostAddress = family === 1
      ? { kind: "ipc", path: host }
      : { kind: "tcp", host, port, family: family === 4 ? 4 : 0 };
    const outside = this.outside.get(host);
    this.#adopt(fd, outside?.() ?? this.#host.connect(address, source), false);
    return 0;
  }

  #adopt(fd: number, connection: Connection, connected: boolean): void {
    const stream = new Stream(connection, this.#traffic, connected);
    this.#streams.set(fd, stream);
    this.failures.forget(fd);
    const kernel = this.#kernel;
    const input = (size: number) => {
      const isLater = kernel.input(fd, size);
      // Closed meanwhile, it need not keep anything.
      return this.#streams.get(fd) === stream
        ? stream.next(isLater)
        : undefined;
    };
    connection.start({
      connected: () => {
        stream.connected = true;
        kernel.connected(fd, connection.local, connection.remote);
      },
      data: (bytes) => {
        stream.arrived(bytes);
        return input(bytes.length);
      },
      places: () => stream.places(),
      filled: (size) => {
        stream.filled(size);
        return size > 0 ? input(size) : stream.next(false);
      },
      ended: () => kernel.eof(fd),
      drained: () => kernel.writable(fd, stream.drained()),
      closed: (error) => {
        const code = error?.code ?? "ECONNRESET";
        if (!stream.connected && error) this.failures.add(fd, error);
        const errno = stream.connected ? streamErrno : connectErrno;
        kernel.failed(fd, errno(code));
      },
    });
  }

  /**
   * Takes `size` bytes of `memory`; returns how many, or -EAGAIN. To send none asks for room.
   * If a body follows, they are written together with it.
   */
  send(
    fd: number,
    memory: Uint8Array,
    at: number,
    size: number,
    bodyFollows = false,
  ): number {
    return this.#streams.get(fd)?.send(memory, at, size, bodyFollows) ?? GONE;
  }

  /** The same for `size` bytes of a body from `at` on. */
  sendBody(
    fd: number,
    bodies: Bodies,
    body: Body,
    at: number,
    size: number,
  ): number {
    return this.#streams.get(fd)?.sendBody(bodies, body, at, size) ?? GONE;
  }

  /**
   * Moves the next `size` bytes that arrived to `memory`; there are as many. If `memory` is a
   * body, `wanted` bytes of it are awaited there.
   */
  read(
    fd: number,
    memory: Uint8Array,
    at: number,
    size: number,
    wanted = 0,
  ): void {
    this.#streams.get(fd)!.read(memory, at, size, wanted);
  }

  /** `size` bytes are read of a large message that is decrypted then. */
  takesLong(fd: number, size: number): void {
    this.#streams.get(fd)?.connection.takesLong?.();
    this.#kernel.worked(size);
  }

  /** See `Stream.begins`. */
  begins(fd: number, size: number, left: number): Uint8Array | undefined {
    return this.#streams.get(fd)?.begins(size, left);
  }

  setOption(fd: number, option: "noDelay" | "keepAlive", value: number): void {
    const connection = this.#streams.get(fd)?.connection;
    if (option === "noDelay") connection?.setNoDelay(value !== 0);
    else connection?.setKeepAlive(value !== 0, 0);
  }

  /**
   * The interfaces of the machine, a line "name address" each. None if the host
   * forbids to look: an address is no interface's name either, so only a bind that
   * names one fails, and `forbidden` says why.
   */
  interfaces(): string {
    try {
      this.forbidden = undefined;
      return this.#host.interfaces().map(({ name, address }) =>
        `${name} ${address}\n`
      ).join("");
    } catch (error) {
      this.forbidden = error as HostError;
      return "";
    }
  }

  /** `linger` as of libzmq: milliseconds for what has not left yet; -1 is for ever. */
  close(fd: number, linger = -1): void {
    this.#streams.get(fd)?.close(linger);
    this.#streams.delete(fd);
    this.#listeners.get(fd)?.close();
    this.#listeners.delete(fd);
    this.datagrams.close(fd);
    this.#removeTemporary(fd);
  }

  /** A path for an ipc socket in a directory that goes when its listener does. */
  temporaryPath(): string {
    const directory = this.#host.makeTempDir();
    const path = `${directory}/socket`;
    this.#temporary.set(path, directory);
    return path;
  }

  /** Gives up a temporary path that nobody listens at, or a listener's. */
  #removeTemporary(key: string | number): void {
    const directory = this.#temporary.get(key);
    if (directory === undefined) return;
    this.#temporary.delete(key);
    try {
      this.#host.removeTempDir(directory);
    } catch (error) {
      // What stays behind is an empty directory for temporary files.
      if (!(error instanceof HostError)) throw error;
    }
  }

  /** Closes everything: the instance is gone. */
  closeAll(): void {
    for (const target of [...this.#prepared.keys()]) this.settle(target);
    for (const fd of [...this.#streams.keys(), ...this.#listeners.keys()]) {
      this.close(fd);
    }
    this.datagrams.closeAll();
    this.#traffic.spares.clear();
  }
}

function parseTarget(target: string): HostAddress {
  if (target.startsWith("1 ")) return { kind: "ipc", path: target.slice(2) };
  // The scope of a host may have spaces.
  const end = target.lastIndexOf(" ");
  return {
    kind: "tcp",
    host: target.slice(2, end),
    port: Number(target.slice(end)),
    family: target[0] === "4" ? 4 : 6,
  };
}
