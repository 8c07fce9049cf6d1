/**
 * A context: one instance of libzmq, its sockets, and how it ends.
 */
import { defaultHost } from "zeromq-wasm:host";
import { ZmqError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { MEMORY_LIMIT } from "../native/instance.ts";
import { Reactor } from "../reactor/reactor.ts";
import { codeOf, errnoOf, zmqErrno } from "../syscall/errno.ts";
import { type Trace, traceCalls } from "../syscall/trace.ts";
import { type Ending, forget, remember } from "./exit.ts";
import { Outbox } from "./outbox.ts";
import { CONTEXT, fits } from "./options.ts";

export interface ContextOptions {
  /** Largest number of sockets; 1023 at first. */
  maxSockets?: number;
  /** Largest message in bytes that sockets accept; 2147483647 at first. */
  maxMessageSize?: number;
  /** Whether new sockets speak IPv6 too; false at first. */
  ipv6?: boolean;
  /** False gives new sockets a `linger` of 0; true at first. */
  blocky?: boolean;
  /** Accepted for the native package's sake: there is one event loop. */
  ioThreads?: number;
}

/** What is decided when a context is created. */
export interface ContextSetup {
  /** The runtime to work on; by default the one that runs the program. */
  host?: Host;
  /**
   * The most memory in bytes that libzmq may have for all sockets of the context and
   * their messages, 4 MiB to 2 GiB (the default). A peer's message that would need the
   * last quarter of it is refused, and its connection ended. When all is used up, libzmq gives up:
   * every operation of the context rejects, and only a new context works.
   */
  memoryLimit?: number;
  /**
   * Told of every system call, network event and message: one line each. Without it,
   * `ZEROMQ_WASM_TRACE=1` in the environment prints the trace to stderr.
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
}

/** What a channel needs of its context; not part of the public API. */
export interface ContextCore {
  readonly reactor: Reactor;
  readonly outbox: Outbox;
  readonly pointer: number;
  opened(socket: Closable): void;
  closed(socket: Closable): void;
}

interface Closable {
  close(): void;
}

const cores = new WeakMap<Context, ContextCore>();
const setups = new WeakMap<Context, ContextSetup>();

/** The live parts of a context, created when first needed. */
export function coreOf(context: Context): ContextCore {
  return cores.get(context) ?? start(context);
}

function start(context: Context): ContextCore {
  const { host = defaultHost(), memoryLimit = MEMORY_LIMIT, trace } = setups
    .get(context) ?? {};
  const reactor = new Reactor(host, {
    memoryLimit,
    trace: trace ?? defaultTrace(host),
  });
  const pointer = reactor.context;
  const outbox = new Outbox(reactor);
  if (reactor.trace) {
    traceCalls(outbox, "data ", ["send"], reactor.trace);
  }
  const open = new Set<Closable>();
  let leaving = false;
  const ending: Ending = {
    reactor,
    closeAll() {
      for (const socket of open) socket.close();
    },
    advice: () =>
      reactor.call("zmq_ctx_get", pointer, CONTEXT["blocky"]!.id) === 0
        ? ""
        : " Set 'context.blocky = false' to change this behaviour.",
  };
  const core: ContextCore = {
    reactor,
    pointer,
    outbox,
    opened(socket) {
      open.add(socket);
      remember(ending);
    },
    closed(socket) {
      open.delete(socket);
      if (open.size > 0 || leaving) return;
      leaving = true;
      reactor.whenEmpty(() => {
        leaving = false;
        forget(ending);
      });
    },
  };
  cores.set(context, core);
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
    Object.assign(this, rest);
  }

  /** What the context holds: all zero but `heap` and `memory` once its sockets are gone. */
  get resources(): Resources {
    const { reactor } = coreOf(this);
    const { fds, memory } = reactor.instance;
    return {
      sockets: reactor.sockets,
      connections: fds.connections,
      listeners: fds.listeners,
      heap: reactor.call("zw_heap_used"),
      memory: memory.bytes.length,
    };
  }

  declare ioThreads: number;
  declare maxSockets: number;
  declare readonly maxSocketsLimit: number;
  declare maxMessageSize: number;
  declare ipv6: boolean;
  declare blocky: boolean;
}

for (const [name, { id, kind, access }] of Object.entries(CONTEXT)) {
  Object.defineProperty(Context.prototype, name, {
    enumerable: true,
    configurable: true,
    get(this: Context) {
      const { reactor, pointer } = coreOf(this);
      const value = reactor.call("zmq_ctx_get", pointer, id);
      return kind === "bool" ? value !== 0 : value;
    },
    set: access === "r" ? undefined : function (this: Context, value: unknown) {
      const ok = kind === "bool"
        ? typeof value === "boolean"
        : typeof value === "number";
      if (!ok) {
        throw new TypeError(
          `Option value must be a ${
            kind === "bool" ? "boolean" : "number"
          }: ${name} = ${String(value)}`,
        );
      }
      const { reactor, pointer } = coreOf(this);
      const number = Number(value);
      // Cut to an int by the call, it would mean something else.
      if (
        !fits(number, 0, 2 ** 31 - 1) ||
        reactor.call("zmq_ctx_set", pointer, id, number) !== 0
      ) {
        throw zmqError(reactor.host, errnoOf("EINVAL"), {
          message: `Invalid argument: ${name} = ${String(value)}`,
        });
      }
    },
  });
}

/** The context of sockets that are created without one. */
export const context: Context = new Context();
