/**
 * Streams of LAYER 1 on Node: `Connection` and `Listener` on node:net.
 *
 * Owns the translation between net.Socket's stream semantics and `Connection`: what "the bytes
 * are gone" means, half-open ends, errors as POSIX names, everything unreferenced. Node emits
 * all of its events from later ticks, which is what keeps callbacks off WebAssembly's stack; for
 * the one that Bun does not, see `#connected`.
 */
import type * as net from "node:net";
import { unpaceAccepted } from "./bun_inside.ts";
import { BusyReads } from "./bun_reads.ts";
import type {
  Connection,
  ConnectionEvents,
  HostError,
  Listener,
} from "./host.ts";
import { MOST_LINGER_MS } from "./linger.ts";
import { builtin } from "./node_builtins.ts";
import { descriptorOf, unpaceNow, writeAllNow } from "./node_descriptors.ts";
import { toHostError } from "./node_errors.ts";
import { Places, thePad } from "./node_reads.ts";
import { clearTimeout, nextTick, setTimeout } from "./node_timers.ts";
import { isInside } from "./pacing.ts";

function endpoint(host: string | undefined, port: number | undefined) {
  return host === undefined || port === undefined ? undefined : { host, port };
}

/**
 * Up to here a write goes past the stream, which makes 0.7 KB of garbage for each: much where
 * a program waits for the answer. Larger ones rather find no room, which is dear to learn.
 */
const SMALL_WRITE = 4096;
/** The most that is read of what a peer said before a write to it failed. */
const LAST_WORDS_BYTES = 8 * 2 ** 20;

/** Whether sockets can read into `pad`: Bun's cannot when they were accepted. */
const readsIntoPad = !("Bun" in globalThis);
/** A socket's number on Windows is no descriptor for node:fs. */
const hasDescriptors = process.platform !== "win32";
/** Whether TCP may pace a connection: Linux does, and Node has no way to turn that off. */
const paces = readsIntoPad && process.platform === "linux";
/** Whether connections read most of a large message to where they are told. */
export const readsInPlace: boolean = readsIntoPad || hasDescriptors;

/** The names of what `net.Socket`'s option `onread` sets; found once, as that takes 20 µs. */
let readerNames: readonly (symbol | undefined)[] = [];

/** Sets what `onread` does, for which accepted sockets have no option. */
function setReader(
  socket: net.Socket,
  take: (size: number, memory: Uint8Array) => boolean,
  next: () => Uint8Array,
): boolean {
  if (readerNames.length === 0) {
    const symbols = Object.getOwnPropertySymbols(socket);
    readerNames = ["kBuffer", "kBufferCb", "kBufferGen"].map((name) =>
      symbols.find(({ description }) => description === name)
    );
  }
  const [buffer, callback, generator] = readerNames;
  const inside = socket as unknown as Record<PropertyKey, unknown>;
  const handle = inside["_handle"] as {
    useUserBuffer?(buffer: Uint8Array): void;
  } | null;
  if (!buffer || !callback || !generator || !handle?.useUserBuffer) {
    return false;
  }
  inside[buffer] = thePad();
  inside[callback] = take;
  inside[generator] = next;
  handle.useUserBuffer(thePad());
  return true;
}

/** What was last read, which is used only until it is taken. */
let lastRead: Uint8Array | undefined;

/** The first bytes. A conversation reads the same size again and again: one view for all. */
function firstOf(memory: Uint8Array, size: number): Uint8Array {
  if (memory !== thePad()) return memory.subarray(0, size);
  if (lastRead?.length !== size) lastRead = memory.subarray(0, size);
  return lastRead;
}

export class NodeConnection implements Connection {
  local: { host: string; port: number } | undefined;
  remote: { host: string; port: number } | undefined;
  readonly #socket: net.Socket;
  readonly #what: string;
  #events: ConnectionEvents | undefined;
  /** An outcome that came before `start`. */
  #early: { error: HostError | undefined } | undefined;
  #over = false;
  /** Bun says so at once of a descriptor that it was given, before `start`: told a tick later. */
  #connected = false;
  /** Whether bytes come through `#take`, not as events. */
  #usesPad = false;
  readonly #places = new Places(hasDescriptors, () => this.#events);
  readonly #busyReads: BusyReads | undefined;
  /** Writes whose callback has not run yet; and whether the last of them holds memory. */
  #unconfirmed = 0;
  #holding = false;

  /** Nothing is left to do about pacing: see pacing.ts. */
  #isUnpaced = false;
  isPaced = false;

  constructor(socket: net.Socket, what: string, accepted: boolean) {
    this.#socket = socket;
    this.#what = what;
    if (!readsIntoPad && hasDescriptors) {
      this.#busyReads = new BusyReads(
        socket,
        this.#places,
        this.#open,
      );
    }
    socket.unref();
    if (accepted) {
      this.#readAddresses();
      this.#usesPad = readsIntoPad && setReader(socket, this.#take, this.#next);
    } else {
      socket.once("connect", () => {
        this.#readAddresses();
        // An attempt of happy eyeballs may have replaced the handle since the constructor.
        socket.unref();
        if (this.#events) this.#events.connected();
        else this.#connected = true;
      });
    }
    socket.on("end", () => this.#events?.ended());
    socket.on("error", (cause) => this.#finish(toHostError(this.#what, cause)));
    socket.on("close", () => this.#finish(undefined));
  }

  /** For a connection that could not even be tried. */
  fail(error: HostError): void {
    nextTick(() => this.#finish(error));
    this.#socket.destroy();
  }

  start(events: ConnectionEvents): void {
    if (this.#over) {
      const early = this.#early;
      if (early !== undefined) {
        nextTick(() => events.closed(early.error));
      }
      return;
    }
    this.#events = events;
    if (this.#connected) nextTick(() => this.#events?.connected());
    if (!this.#usesPad) {
      this.#socket.on("data", (bytes: Uint8Array) => {
        if (this.#busyReads) this.#busyReads.data(bytes);
        else this.#events?.data(bytes);
      });
    }
    this.#socket.resume(); // pauseOnConnect keeps an accepted socket's bytes until here
  }

  /** Called by a socket with what it read to where `next` said. */
  readonly #take = (size: number, memory: Uint8Array): boolean => {
    this.#places.take(firstOf(memory, size));
    if (size === memory.length) this.#places.readOn(this.#open);
    return true;
  };
  readonly #next = (): Uint8Array => this.#places.next();
  /** The descriptor, while this is not over. */
  readonly #open = (): number | undefined => this.#over ? undefined : this.#fd;

  /** For `net.Socket`'s constructor: reads into the pad where that is possible. */
  static create(what: string): NodeConnection {
    const opened: { connection?: NodeConnection } = {};
    const options: net.SocketConstructorOpts & { onread?: net.OnReadOpts } = {
      allowHalfOpen: true,
    };
    if (readsIntoPad) {
      options.onread = {
        buffer: () => opened.connection ? opened.connection.#next() : thePad(),
        callback: (size: number, memory: Uint8Array) =>
          opened.connection!.#take(size, memory),
      };
    }
    const socket = new (builtin("node:net").Socket)(options);
    const connection = new NodeConnection(socket, what, false);
    opened.connection = connection;
    connection.#usesPad = readsIntoPad;
    return connection;
  }

  get socket(): net.Socket {
    return this.#socket;
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

  writeBoth(first: Uint8Array, second: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.#over || !socket.writable) return true;
    this.#unconfirmed += 2;
    socket.cork();
    socket.write(first, this.#written);
    socket.write(second, this.#written);
    socket.uncork();
    this.#holding = socket.writableLength !== 0;
    return !this.#holding;
  }

  /** The descriptor, if nothing has to be written before. */
  get #free(): number | undefined {
    if (this.#over || this.#unconfirmed > 0 || !this.#socket.writable) {
      return undefined;
    }
    return this.#fd;
  }

  writeFrom(memory: Uint8Array, at: number, size: number): number {
    // Only where the handle is Node's.
    if (size > SMALL_WRITE || !readsIntoPad) return 0;
    const fd = this.#free;
    if (fd === undefined) return 0;
    try {
      return builtin("node:fs").writeSync(fd, memory, at, size);
    } catch {
      return 0; // no room, or `write` fails as well and tells
    }
  }

  writeNow(pieces: Uint8Array[]): number {
    const fd = this.#free;
    if (fd === undefined) return 0;
    this.#isUnpaced ||= unpaceNow(fd);
    // Where it fails `write` fails as well, and tells.
    return writeAllNow(fd, pieces);
  }

  get #fd(): number | undefined {
    return hasDescriptors ? descriptorOf(this.#socket) : undefined;
  }

  /**
   * Node calls this also, one tick late, for writes that were done at once; as callbacks keep
   * the order of writes and nobody writes while memory is held, the held one is the last.
   */
  readonly #written = (error?: Error | null): void => {
    this.#unconfirmed--;
    if (error) this.#readLastWords();
    if (this.#unconfirmed > 0 || !this.#holding || error) return;
    this.#holding = false;
    this.#events?.drained();
  };

  /**
   * After a failed write Node destroys the socket, with what the peer said before it went:
   * often why. Until the write's callback returns it can be read. (On Windows it cannot.)
   */
  #readLastWords(): void {
    const fd = this.#fd;
    if (this.#over || fd === undefined) return;
    const words: Uint8Array[] = [];
    try {
      for (let left = LAST_WORDS_BYTES; left > 0;) {
        const bytes = new Uint8Array(thePad().length);
        const size = builtin("node:fs").readSync(fd, bytes);
        if (size === 0) break;
        left -= size;
        words.push(bytes.subarray(0, size));
      }
    } catch {
      // That was all.
    }
    // At once: paused connections may be given bytes only once.
    if (words.length > 0) this.#events?.data(Buffer.concat(words));
  }

  takesLong(): void {
    this.#places.takesLong();
  }

  pause(): void {
    // A thousand connections that wait would keep as many large pads.
    this.#places.waits();
    if (this.#busyReads) this.#busyReads.pause();
    else this.#socket.pause();
  }

  resume(): void {
    if (this.#busyReads) this.#busyReads.resume();
    else this.#socket.resume();
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on);
  }

  setKeepAlive(on: boolean, idleSeconds: number): void {
    this.#socket.setKeepAlive(on, idleSeconds * 1000);
  }

  close(linger = MOST_LINGER_MS): void {
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
      const timer = setTimeout(() => socket.destroy(), linger).unref();
      socket.once("close", () => clearTimeout(timer));
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
    const inside = isInside(socket.localAddress, socket.remoteAddress);
    this.#isUnpaced = !inside;
    this.isPaced = inside && paces;
  }
}

export class NodeListener implements Listener {
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
      if (!readsIntoPad) unpaceAccepted(server, bound.address);
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
      nextTick(() => waiting.forEach(onConnection));
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
