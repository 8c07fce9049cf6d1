/**
 * LAYER 1: what a JavaScript runtime must offer so that libzmq can run on it.
 *
 * One file per runtime implements `Host`; nothing above this folder may name a runtime.
 * Rules that every implementation keeps:
 *  - no callback of `ConnectionEvents` or `ListenerEvents` runs synchronously inside a call
 *    of `Host`, `Connection` or `Listener`: WebAssembly is on the stack then;
 *  - everything is created *unreferenced*: a socket alone keeps no process alive,
 *    `keepAlive` does;
 *  - failures are `HostError`s with a POSIX `code`.
 */

/** Where to connect or listen. */
export type HostAddress =
  | {
    readonly kind: "tcp";
    /** An IP literal, or (connect only) a host name. */
    readonly host: string;
    readonly port: number;
    /** Restricts the resolution of a name; 0 takes either family. */
    readonly family: 4 | 6 | 0;
  }
  | {
    readonly kind: "ipc";
    /** File-system path; a leading NUL means a name in Linux's abstract namespace. */
    readonly path: string;
  };

/** Where datagrams go, or (as `local`) come in. */
export interface DatagramAddress {
  /** An IP literal. */
  readonly host: string;
  readonly port: number;
}

/** What a `udp://` endpoint names. */
export interface UdpAddress extends DatagramAddress {
  readonly kind: "udp";
  /** The interface for a group: its name or address. */
  readonly via?: string | undefined;
}

/** A failure of the host, named as POSIX names it. */
export class HostError extends Error {
  override name = "HostError";
  constructor(
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** What happens on a connection. After `closed` nothing more is called. */
export interface ConnectionEvents {
  /** The connection stands (not called for accepted ones); addresses are valid from here on. */
  connected(): void;
  /**
   * Bytes arrived. `bytes` is only valid during the call. May return memory of which a host
   * that can reads what comes next into the first part, and then passes just that here.
   */
  data(bytes: Uint8Array): Uint8Array | undefined;
  /**
   * Where a host that can read to several places at once reads what comes next, in order; a
   * call of `filled` with how many bytes that were follows at once, also when there were none.
   * Undefined if there is no more than one place, which `data` or `filled` gave, or none.
   */
  places(): Uint8Array[] | undefined;
  filled(size: number): Uint8Array | undefined;
  /** The peer finished writing; writing to it may still work. */
  ended(): void;
  /** Everything given to `write` so far has left: follows each `write` that returned false. */
  drained(): void;
  /** Over, by an error or (without one) by our own close. Called once. */
  closed(error?: HostError): void;
}

/** One byte stream. */
export interface Connection {
  /** Our end and the peer's: valid from `connected` on; for ipc, undefined. */
  readonly local: { host: string; port: number } | undefined;
  readonly remote: { host: string; port: number } | undefined;
  /** Where TCP may pace what is written, from `connected` on: whole packets are best there. */
  readonly isPaced?: boolean;
  /** Says who is told; for accepted connections called before this turn of the event loop ends. */
  start(events: ConnectionEvents): void;
  /**
   * Writes all of `bytes`. True: the bytes are gone and the memory may be reused at once.
   * False: the host holds on to the memory until `drained`; no further write before that.
   */
  write(bytes: Uint8Array): boolean;
  /** The same for two pieces of memory, on hosts that need not write twice for it. */
  writeBoth?(first: Uint8Array, second: Uint8Array): boolean;
  /**
   * Writes as much as the system takes at once, and holds on to nothing. Returns how many
   * bytes that were: none if a write is under way, or for any reason that `write` will tell.
   */
  writeNow?(pieces: Uint8Array[]): number;
  /**
   * The same for `size` bytes of `memory` from `at` on, where a view of so few costs as much
   * as a copy; none also if they are not so few.
   */
  writeFrom?(memory: Uint8Array, at: number, size: number): number;
  /** Large pieces come that take long, as they are decrypted: more may be read at once. */
  takesLong?(): void;
  /** Stops delivering data; at most one more `data` may follow. */
  pause(): void;
  resume(): void;
  setNoDelay(on: boolean): void;
  /** Idle seconds before the first probe; 0 leaves the system's. */
  setKeepAlive(on: boolean, idleSeconds: number): void;
  /**
   * Closes; bytes still held are sent first, then FIN. No events follow. A peer that does not
   * take them has `linger` milliseconds, half a minute unless given.
   */
  close(linger?: number): void;
}

/** A listening endpoint. */
export interface Listener {
  /** The address really bound (port 0 resolved); for ipc, undefined. */
  readonly local: { host: string; port: number } | undefined;
  /** Called once, before any connection can arrive in a later turn. */
  start(onConnection: (connection: Connection) => void): void;
  /**
   * Closes, with its file where it has one, unless another has taken the path. Some hosts free a
   * port turns later: `listen` waits for that, `listenSync` cannot. Does nothing the second time.
   */
  close(): void;
}

/** How to open a datagram socket; it may always send to broadcast addresses. */
export interface DatagramOptions {
  readonly family: 4 | 6;
  /** Where to bind; port 0 takes any. */
  readonly local: DatagramAddress;
  /** Whether others that allow it too may have the same address. */
  readonly shared: boolean;
  /** Joins a group, on the interface with an address (IPv4) or a name (IPv6). */
  readonly membership?: { readonly group: string; readonly via?: string };
  /** For datagrams sent to groups: a part left out is as the system has it. */
  readonly multicast?: {
    hops?: number;
    loop?: boolean;
    /** The interface, as for membership. */
    via?: string;
  };
}

/** A datagram socket. */
export interface DatagramSocket {
  /** The address really bound. */
  readonly local: DatagramAddress;
  /** Called once. `bytes` are only valid during the call of `received`. */
  start(
    received: (bytes: Uint8Array, host: string, port: number) => void,
  ): void;
  /** Calls `done` once, not during the call, when the bytes are gone or lost. */
  send(bytes: Uint8Array, to: DatagramAddress, done: () => void): void;
  /** Closes at once; nothing is called any more. */
  close(): void;
}

/** UDP. */
export interface Datagrams {
  /** Throws a HostError if this runtime cannot do it (EPROTONOSUPPORT) or forbids it (EACCES). */
  check(operation: "bind" | "connect", address: UdpAddress): void;
  /** Rejects with a HostError: EADDRINUSE, EADDRNOTAVAIL, EACCES, ENODEV, … */
  open(options: DatagramOptions): Promise<DatagramSocket>;
}

/** What all threads of a process hear. */
export interface ThreadChannel {
  send(message: unknown): void;
  /** What was sent just before may be lost. */
  close(): void;
}

/** What the threads of a process need to find each other. */
export interface Threads {
  /** The number of this thread, for `tie`. */
  readonly self: number;
  /** Whether the process ends with this thread. */
  readonly isMain: boolean;
  /** Whether the channel may lose messages. */
  readonly lossy: boolean;
  /**
   * Opens the channel on which every thread hears what the others say.
   * Memory that is shared can be sent.
   */
  open(receive: (message: unknown) => void): ThreadChannel;
  /**
   * Calls `task` when this thread ends; not everywhere, nor if it is terminated. Returns what takes
   * that back.
   */
  atExit(task: () => void): () => void;
  /**
   * Calls `ended` when the thread at the other end of connection `id` has ended; also, to no
   * effect, when that end is cut. The end that accepted knows the other `thread`, and begins.
   * Returns what cuts the tie. Undefined where the runtime does not tell.
   */
  tie?(id: string, thread: number | undefined, ended: () => void): () => void;
}

/**
 * How to have the engine look at what is new. Newer ones of V8 look at all that lives when
 * buffers have taken some 32 MB: 12 times a second for messages of 64 KB, which took a fifth of
 * a processor. Garbage has them look at what is new before that.
 */
export interface EarlyMarks {
  /** So many bytes of buffers may be made until the next time, after so much garbage. */
  often(garbage: number): number;
  /** Larger buffers do not count: the engine looks by itself when a few of them are made. */
  readonly largest?: number;
  /**
   * The size of one buffer, never written to, with which the engine looks at what is new, because
   * new buffers have taken so much together. Only with ballast: without, and where this is not
   * set, it would look at all that lives.
   */
  readonly buffer?: number;
  /**
   * How many bytes of new objects there may be until it looks at them, if that can be told: asked
   * where no buffer does it.
   */
  room(): number | undefined;
  /**
   * How large a piece of memory should be that lives, and is never written to, so that it takes
   * none of the system: the engine waits with its looks for some share of what lives.
   */
  ballast?(): number | undefined;
}

export interface Host {
  readonly name: string;
  /**
   * Whether large frames should lie outside of the module, because connections can read them
   * to where they are told (what `data` returns). Elsewhere that costs more than it saves.
   */
  readonly readsInPlace?: boolean;
  /** Set where the engine would rather look at all that lives than at what is new. */
  readonly marksEarly?: EarlyMarks;
  /** Whether memory is filled with zeros when it is made, `Buffer.allocUnsafe`'s too. */
  readonly clearsMemory?: boolean;
  /**
   * To make an array of up to so many bytes takes no longer than a view of a buffer that many
   * share, because the engine has few bytes in the object itself; Deno has not.
   */
  readonly ownBytes?: number;
  /**
   * Makes the runtime refuse to hand this buffer over to another thread, which would empty the
   * frames that share it. Returns whether it could; if not, no frames share any. Undefined where
   * they do all the same.
   */
  keep?(buffer: ArrayBufferLike): boolean;
  /**
   * Whether the C library gives memory back to the system as soon as 128 KB of it are free, and
   * pieces larger than that always, as glibc does until a large one has been freed (mallopt(3),
   * M_MMAP_THRESHOLD). Each page is then asked for again, and filled with zeros, for the next
   * messages: 0.1 to 10 µs for 4 KB, on some machines more than all else that is done.
   */
  readonly returnsMemory?: boolean;
  /**
   * Memory for a frame of 32 KB or more, where there is better than the engine's; it may hold
   * anything. Undefined where there is not, or not yet. Throws a RangeError if there is none.
   */
  largeMemory?(size: number): Uint8Array | undefined;
  /**
   * Whether the engine takes several instructions to shift a vector by a constant, as
   * JavaScriptCore does: the module then multiplies where it can.
   */
  readonly shiftsSlowly?: boolean;
  /**
   * Whether the program runs between two events that are there at the same time. Those of many
   * connections are then better worked on together.
   */
  readonly tellsOneByOne?: boolean;
  /** Undefined where threads cannot reach each other. */
  readonly threads?: Threads;
  /** Undefined where there is no UDP. */
  readonly datagrams?: Datagrams;
  /** Starts to connect; `source` is the local address of `tcp://source;destination`. Never throws. */
  connect(
    address: HostAddress,
    source?: { host: string; port: number },
  ): Connection;
  /**
   * Binds and listens. Who binds a path of ipc takes it from who has it, or from the file that is
   * there. Rejects with a HostError: EADDRINUSE, EADDRNOTAVAIL, EACCES, …
   */
  listen(address: HostAddress, backlog: number): Promise<Listener>;
  /** The same, at once; for hosts that can. Throws the HostError. */
  listenSync?(address: HostAddress, backlog: number): Listener;
  /** IP literals of a name. Rejects with a HostError: ENOTFOUND, EAI_AGAIN, EACCES. */
  resolve(name: string, family: 4 | 6 | 0): Promise<string[]>;
  /**
   * Throws a HostError if this runtime is known to forbid connecting there (EACCES) or
   * to be unable to connect from `source`, "host:port" as the endpoint has it (EOPNOTSUPP).
   */
  checkConnect(address: HostAddress, source?: string): void;
  /** Network interfaces by name, one entry per address. May throw HostError EACCES. */
  interfaces(): { name: string; address: string; family: 4 | 6 }[];
  /** Makes a fresh private directory and returns its path. Throws a HostError. */
  makeTempDir(): string;
  /** Removes what `makeTempDir` made; it is empty. Throws a HostError. */
  removeTempDir(path: string): void;
  /** Monotonic time in milliseconds, with a fraction. */
  now(): number;
  /** Fills with cryptographically secure random bytes; throws if it cannot. */
  random(bytes: Uint8Array): void;
  /** Runs `task` once, after the current callback and its microtasks, before more I/O. */
  soon(task: () => void): void;
  /** Runs `task` once, after pending I/O and timers had their turn. */
  later(task: () => void): void;
  /**
   * Runs `task` once, in a later turn, when the system was asked what has arrived; does not
   * sleep until something has. False if it cannot, or not yet: `task` is not run then. If the
   * wait only `begins`, nothing can have arrived for a moment.
   * Undefined where it would not see sooner what arrives than a program that sleeps.
   */
  glance?(task: () => void, begins: boolean): boolean;
  /** One unreferenced timer: calls `task` after `ms`. */
  setTimer(task: () => void, ms: number): HostTimer;
  /** Keeps the process alive until the returned function is called. */
  keepAlive(): () => void;
  /**
   * Calls `task` when the process has nothing left to do, before it exits and before handlers of
   * the program; again each time the loop runs dry, so that sockets made later get their turn too.
   * Returns what takes that back.
   */
  beforeExit(task: () => void): () => void;
  /** A variable of the environment; undefined too when the runtime does not let us look. */
  env(name: string): string | undefined;
  /** The platform's number of an errno name, or undefined. */
  errno(code: string): number | undefined;
  /** Shows a warning to the developer; without it, on the console. */
  warn?(message: string): void;
}

export function warn(host: Host, message: string): void {
  if (host.warn) host.warn(message);
  else console.warn(message);
}

export interface HostTimer {
  cancel(): void;
}
