/**
 * A context: one instance of libzmq, its sockets, and how it ends.
 */
import { defaultHost } from "zeromq-wasm:host";
import { ZmqError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { MEMORY_LIMIT } from "../native/instance.ts";
import { Reactor } from "../reactor/reactor.ts";
import { codeOf, errnoOf, zmqErrno } from "../syscall/errno.ts";
import { harmless, type Trace, traceCalls } from "../syscall/trace.ts";
import { type Counters, Register } from "./counters.ts";
import { assignOptions } from "./define_options.ts";
import { closeListener, type Ending, forget, remember } from "./exit.ts";
import { InprocNames } from "./inproc_names.ts";
import { Outbox } from "./outbox.ts";
import { CONTEXT, fits, type Option } from "./options.ts";
import { Outside } from "./outside.ts";
import { partAll } from "./parting.ts";

/** Values for the options of a context. */
export type ContextOptions = Partial<
  Pick<
    Context,
    | "blocky"
    | "ioThreads"
    | "ipv6"
    | "maxMessageSize"
    | "maxSockets"
    | "threadPriority"
    | "threadSchedulingPolicy"
  >
>;

/** What is decided when a context is created. */
export interface ContextSetup {
  /** The runtime to work on; by default the one that runs the program. */
  host?: Host;
  /**
   * The most memory in bytes that libzmq may have for all sockets of the context and
   * their messages, 4 MiB (less is a RangeError) to 2 GiB (the default; more is taken as that).
   * A peer's message that would need the last quarter of it is refused, and its connection
   * ended. A message of ours for which there is no room rejects with ENOMEM. When libzmq
   * itself needs more, it gives up: every operation of the context rejects, and only a new
   * context works. Frames of 32 KiB and more lie outside, where they may have as much again.
   */
  memoryLimit?: number;
  /**
   * Told of every system call, network event and message: one line each. Without it,
   * `ZEROMQ_WASM_TRACE=1` in the environment prints the trace to stderr. What it throws is an
   * uncaught error of the program; the context goes on.
   */
  trace?: (line: string) => void;
}

/** What a context holds at the moment. */
export interface Resources {
  /** Sockets: open, or closed and still sending. */
  readonly sockets: number;
  /** Connections and listeners of the runtime. */
  readonly connections: number;
  readonly listeners: number;
  /** Bytes that libzmq has allocated, and the size of its memory. */
  readonly heap: number;
  readonly memory: number;
  /** Bytes of large frames that are on their way, outside of that memory. */
  readonly bodies: number;
}

/** What a channel needs of its context; not part of the public API. */
export interface ContextCore {
  readonly reactor: Reactor;
  readonly outbox: Outbox;
  readonly pointer: number;
  readonly register: Register;
  readonly inproc: InprocNames;
  /** `inproc` to other threads: for the default context. */
  readonly outside: Outside | undefined;
  opened(socket: Closable): void;
  closed(socket: Closable): void;
  /** One that was closed is gone. */
  gone(): void;
  /** Nobody refers to it any more. */
  collected(socket: Closable): void;
}

interface Closable {
  readonly listens: boolean;
  close(): void;
}

const cores = new WeakMap<Context, ContextCore>();
const setups = new WeakMap<Context, ContextSetup>();

/** The live parts of a context, created when first needed. */
export function coreOf(context: Context): ContextCore {
  return cores.get(context) ?? start(context);
}

function start(given: Context): ContextCore {
  if (!setups.has(given)) {
    throw new TypeError("Context must be a context object");
  }
  const { host = defaultHost(), memoryLimit = MEMORY_LIMIT, trace: wanted } =
    setups.get(given) ?? {};
  const trace = wanted ?? defaultTrace(host);
  const reactor = new Reactor(host, {
    memoryLimit,
    trace: trace && harmless(trace),
  });
  const pointer = reactor.context;
  const outbox = new Outbox(reactor);
  if (reactor.trace) {
    traceCalls(outbox, "data ", ["send"], reactor.trace);
  }
  const open = new Set<Closable>();
  let leaving = false;
  let opened = 0;
  const ending: Ending = {
    reactor,
    whenGone: new Set(),
    get uses() {
      const { messagesSent, messagesReceived } = core.register.sums;
      return opened + messagesSent + messagesReceived;
    },
    get isLeaving() {
      return core.register.isLeaving;
    },
    get isSending() {
      return core.register.isLeaving || core.register.sums.queuedToSend > 0;
    },
    forsake: () => core.outside?.forsake(core.inproc.sockets),
    close(listening) {
      for (const socket of open) {
        if (listening || !socket.listens) socket.close();
      }
    },
    partInproc: () => partAll(core),
    advice: () =>
      reactor.call("zmq_ctx_get", pointer, CONTEXT["blocky"]!.id) === 0
        ? ""
        : " Set 'context.blocky = false' to change this behaviour.",
  };
  const core: ContextCore = {
    reactor,
    pointer,
    outbox,
    register: new Register(reactor, pointer, outbox.scratch),
    inproc: new InprocNames(),
    outside: given === context ? Outside.create(host, reactor) : undefined,
    opened(socket) {
      open.add(socket);
      opened++;
      remember(ending);
    },
    closed(socket) {
      open.delete(socket);
      if (open.size > 0 || leaving) return;
      leaving = true;
      reactor.whenEmpty(() => {
        leaving = false;
        reactor.instance.fds.failures.clear();
        forget(ending);
      });
    },
    gone() {
      for (const task of ending.whenGone) task();
    },
    collected(socket) {
      if (socket.listens) closeListener(host, socket);
      else socket.close();
    },
  };
  cores.set(given, core);
  return core;
}

function defaultTrace(host: Host): Trace | undefined {
  const wanted = host.env("ZEROMQ_WASM_TRACE");
  if (!wanted || wanted === "0") return undefined;
  return (line) => console.error(`${host.now().toFixed(3)} ${line}`);
}

/** A `ZmqError` for one of the module's errno numbers. */
export function zmqError(
  host: Host,
  errno: number | string,
  details: { message?: string; address?: string; cause?: unknown } = {},
): ZmqError {
  const code = typeof errno === "string" ? errno : codeOf(errno);
  const number = zmqErrno(code) ?? host.errno(code) ?? 0;
  return new ZmqError(code, number, details);
}

/**
 * Holds sockets that can talk to each other over `inproc`. Most programs use the
 * default `context` without ever naming it.
 *
 * See man zmq_ctx_new, zmq_ctx_set.
 *
 * @example
 * const context = new Context({ blocky: false });
 * const socket = new Dealer({ context });
 */
export class Context {
  /**
   * @param options values for the properties below, and a setup
   * @throws TypeError for a value of the wrong type or an unknown option
   * @throws ZmqError EINVAL for a value libzmq does not take
   */
  constructor(options: ContextOptions & ContextSetup = {}) {
    if (typeof options !== "object" || options === null) {
      throw new TypeError("Options must be an object");
    }
    const { host, memoryLimit, trace, ...rest } = options;
    if (memoryLimit !== undefined && !(memoryLimit >= 4 * 2 ** 20)) {
      throw new RangeError(
        `memoryLimit must be 4194304 bytes or more: ${memoryLimit}`,
      );
    }
    setups.set(this, {
      ...(host && { host }),
      ...(memoryLimit && { memoryLimit }),
      ...(trace && { trace }),
    });
    Object.seal(this);
    assignOptions(this, rest);
  }

  /** What the context holds: all zero but `heap` and `memory` once its sockets are gone. */
  get resources(): Resources {
    const { reactor } = coreOf(this);
    const { fds, memory, bodies } = reactor.instance;
    return {
      sockets: reactor.sockets,
      connections: fds.connections,
      listeners: fds.listeners,
      heap: reactor.call("zw_heap_used"),
      memory: memory.bytes.length,
      bodies: bodies.bytes,
    };
  }

  /**
   * The sums for all sockets that the context has and had, since the first was made.
   *
   * @example
   * let last = context.counters.messagesReceived;
   * setInterval(() => {
   *   const { messagesReceived } = context.counters;
   *   console.log(`${messagesReceived - last} messages/s`);
   *   last = messagesReceived;
   * }, 1000);
   */
  get counters(): Counters {
    return coreOf(this).register.sums;
  }

  /** I/O threads, 0 or more; 1 at first. No effect: there is one event loop. */
  declare ioThreads: number;
  /** The most sockets there may be, 1 or more; 1023 at first. */
  declare maxSockets: number;
  /** The most that `maxSockets` can be. */
  declare readonly maxSocketsLimit: number;
  /** Bytes of the largest message that is sent, 0 or more; 2147483647 at first. */
  declare maxMessageSize: number;
  /** Whether new sockets speak IPv6 too; false at first. */
  declare ipv6: boolean;
  /** False gives new sockets a `linger` of 0; true at first. */
  declare blocky: boolean;
  /** Priority of I/O threads; no effect: there are none. */
  declare threadPriority: number;
  /** Scheduling policy of I/O threads; no effect: there are none. */
  declare threadSchedulingPolicy: number;

  /** An option by libzmq's number, for subclasses, as the native package has it. */
  protected getBoolOption(option: number): boolean {
    return getOption(this, { id: option, kind: "bool" }) as boolean;
  }
  protected setBoolOption(option: number, value: boolean): void {
    setOption(this, `option ${option}`, { id: option, kind: "bool" }, value);
  }
  protected getInt32Option(option: number): number {
    return getOption(this, { id: option, kind: "i32" }) as number;
  }
  protected setInt32Option(option: number, value: number): void {
    setOption(this, `option ${option}`, { id: option, kind: "i32" }, value);
  }
}

/** Values that libzmq cannot be asked for. */
const written = new WeakMap<Context, Map<number, unknown>>();

function getOption(context: Context, { id, kind, access, initial }: Option) {
  if (access === "w") return written.get(context)?.get(id) ?? initial;
  const { reactor, pointer } = coreOf(context);
  const value = reactor.call("zmq_ctx_get", pointer, id);
  return kind === "bool" ? value !== 0 : value;
}

function setOption(
  context: Context,
  name: string,
  option: Option,
  value: unknown,
): void {
  const { id, kind, access, takes } = option;
  const fitting = kind === "bool"
    ? typeof value === "boolean"
    : typeof value === "number";
  if (!fitting) {
    throw new TypeError(
      `Option value must be a ${
        kind === "bool" ? "boolean" : "number"
      }: ${name} = ${String(value)}`,
    );
  }
  const { reactor, pointer } = coreOf(context);
  const number = Number(value);
  // Cut to an int by the call, it would mean something else.
  if (
    !fits(number, 0, 2 ** 31 - 1) ||
    reactor.call("zmq_ctx_set", pointer, id, number) !== 0
  ) {
    throw zmqError(reactor.host, errnoOf("EINVAL"), {
      message: `Invalid argument: ${name} = ${String(value)}` +
        (takes === undefined ? "" : ` (takes ${takes})`),
    });
  }
  if (access !== "w") return;
  const known = written.get(context) ?? new Map<number, unknown>();
  written.set(context, known.set(id, value));
}

for (const [name, option] of Object.entries(CONTEXT)) {
  Object.defineProperty(Context.prototype, name, {
    enumerable: true,
    configurable: true,
    get(this: Context) {
      return getOption(this, option);
    },
    set: option.access === "r"
      ? undefined
      : function (this: Context, value: unknown) {
        setOption(this, name, option, value);
      },
  });
}

/** The context of sockets that are created without one. */
export const context: Context = new Context();
