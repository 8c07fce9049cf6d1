/**
 * A context: one instance of libzmq, its sockets, and how it ends.
 */
import { defaultHost } from "zeromq-wasm:host";
import { ZmqError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { Reactor } from "../reactor/reactor.ts";
import { codeOf, errnoOf, zmqErrno } from "../syscall/errno.ts";
import { MessagePort } from "./message.ts";
import { CONTEXT } from "./options.ts";

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

/** What a socket needs of its context; not part of the public API. */
export interface ContextCore {
  readonly reactor: Reactor;
  readonly port: MessagePort;
  readonly pointer: number;
}

const cores = new WeakMap<Context, ContextCore>();

/** The live parts of a context, created when first needed. */
export function coreOf(context: Context): ContextCore {
  return cores.get(context) ?? start(context);
}

const hosts = new WeakMap<Context, Host>();

function start(context: Context): ContextCore {
  const reactor = new Reactor(hosts.get(context) ?? defaultHost());
  const pointer = reactor.call("zw_ctx_new");
  const core = { reactor, pointer, port: new MessagePort(reactor) };
  cores.set(context, core);
  return core;
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
   * @param options the options below, and optionally the `host` to run on
   * @throws ZmqError EINVAL for a value libzmq does not take
   */
  constructor(options: ContextOptions & { host?: Host } = {}) {
    const { host, ...rest } = options;
    if (host) hosts.set(this, host);
    Object.seal(this);
    Object.assign(this, rest);
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
      const wanted = kind === "bool" ? "boolean" : "number";
      if (typeof value !== wanted) {
        throw new TypeError(
          `Option value must be a ${wanted}: ${name} = ${String(value)}`,
        );
      }
      const { reactor, pointer } = coreOf(this);
      const rc = reactor.call("zmq_ctx_set", pointer, id, Number(value));
      if (rc !== 0) {
        throw zmqError(reactor.host, errnoOf("EINVAL"), {
          message: `Invalid argument: ${name} = ${String(value)}`,
        });
      }
    },
  });
}

/** The context of sockets that are created without one. */
export const context: Context = new Context();
