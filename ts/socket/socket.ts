/**
 * What all sockets share: their endpoints and options, on top of a channel.
 */
import { constants } from "zeromq-wasm:constants";
import type { HostError } from "../host/host.ts";
import { codeOf } from "../syscall/errno.ts";
import { Channel, type Counters } from "./channel.ts";
import {
  type Context,
  context as defaultContext,
  coreOf,
  zmqError,
} from "./context.ts";
import {
  checkConnect,
  endpointToBind,
  hasWrongPort,
  optionFault,
} from "./endpoint.ts";
import { expose, type Internals } from "./internals.ts";
import { Observer } from "./observer.ts";
import { getOption, setOption } from "./option_access.ts";
import { COMMON, type Option } from "./options.ts";

const {
  ZMQ_MECHANISM,
  ZMQ_RCVHWM,
  ZMQ_RCVTIMEO,
  ZMQ_SNDTIMEO,
} = constants;

/** With these, what is done about one message decides about the next. */
const TAKES_ONE = [
  constants["ZMQ_CONFLATE"]!,
  constants["ZMQ_XPUB_MANUAL"]!,
  constants["ZMQ_XPUB_MANUAL_LAST_VALUE"]!,
];
const ZAP_HANDLERS = [constants["ZMQ_REP"]!, constants["ZMQ_ROUTER"]!];
const BIND = "Socket is blocked by a bind or unbind operation";

export abstract class Socket {
  readonly #context: Context;
  readonly #channel: Channel;
  readonly #inside: Internals;
  #closing = false;
  #events: Observer | undefined;

  protected constructor(type: number, options: Record<string, unknown> = {}) {
    if (typeof type !== "number") {
      throw new TypeError("Socket type must be a number");
    }
    if (typeof options !== "object" || options === null) {
      throw new TypeError("Options must be an object");
    }
    const { context = defaultContext, ...rest } = options as {
      context?: Context;
    };
    this.#context = context;
    this.#channel = new Channel(coreOf(context), type);
    this.#inside = {
      channel: this.#channel,
      blocked: undefined,
      endpoints: new Map(),
    };
    expose(this, this.#inside);
    Object.seal(this);
    try {
      Object.assign(this, rest);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The context the socket lives in. */
  get context(): Context {
    return this.#context;
  }

  /** True after `close()`. */
  get closed(): boolean {
    return this.#channel.closed;
  }

  /** Whether a message can be received without waiting. */
  get readable(): boolean {
    return this.#channel.readable;
  }

  /** Whether a message can be sent without waiting. */
  get writable(): boolean {
    return this.#channel.writable;
  }

  /** What happens to the connections of the socket; made when first asked for. */
  get events(): Observer {
    return this.#events ??= new Observer(this);
  }

  /** The mechanism in force: null, "plain" or "curve". */
  get securityMechanism(): null | "plain" | "curve" {
    const value = this.getOption({ id: ZMQ_MECHANISM!, kind: "i32" });
    return ([null, "plain", "curve"] as const)[value as number] ?? null;
  }

  /**
   * What Node, Deno and Bun print of a socket. Without it, printing with getters would
   * read all options, `curveSecretKey` and `plainPassword` too.
   */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const where = this.closed ? "closed" : this.lastEndpoint ?? "not bound";
    return `${this.constructor.name} { ${where} }`;
  }

  /** Reads an option of libzmq. Throws EBADF on a closed socket. */
  protected getOption(option: Option): unknown {
    this.#check();
    return getOption(this.#channel.core.reactor, this.#channel.pointer, option);
  }

  /** Sets an option of libzmq. Throws a TypeError or EINVAL with the value. */
  protected setOption(name: string, option: Option, value: unknown): void {
    this.#check();
    const channel = this.#channel;
    const { reactor } = channel.core;
    setOption(reactor, channel.pointer, name, option, value);
    // What the channel itself has to know of libzmq's options.
    if (option.id === ZMQ_SNDTIMEO) {
      channel.sendTimeout = Math.trunc(value as number);
    } else if (option.id === ZMQ_RCVTIMEO) {
      channel.receiveTimeout = Math.trunc(value as number);
    } else if (option.id === ZMQ_RCVHWM) channel.limitPrefetch(value as number);
    else if (TAKES_ONE.includes(option.id)) channel.limitPrefetch(1);
    channel.changed();
  }

  #check(): void {
    const { dead } = this.#channel.core.reactor.instance;
    if (dead) throw dead;
    if (this.closed) throw this.#error("EBADF");
  }

  #error(
    errno: number | string,
    details: { message?: string; address?: string; cause?: unknown } = {},
  ): Error {
    return zmqError(this.#channel.core.reactor.host, errno, details);
  }

  #enter(...address: unknown[]): void {
    this.#check();
    const { blocked } = this.#inside;
    if (blocked !== undefined) {
      throw this.#error("EBUSY", { message: blocked });
    }
    if (address.length > 0 && typeof address[0] !== "string") {
      throw new TypeError("Address must be a string");
    }
  }

  /**
   * Listens for peers at an endpoint such as `tcp://*:5555`, `tcp://127.0.0.1:*`,
   * `ipc:///tmp/jobs` or `inproc://workers` (man zmq_bind, zmq_tcp, zmq_ipc).
   * Rejects with EADDRINUSE, EADDRNOTAVAIL, EACCES, EINVAL, EPROTONOSUPPORT, ENODEV;
   * throws EBADF when closed.
   */
  bind(address: string): Promise<void> {
    this.#enter(address);
    return this.#bind(address);
  }

  async #bind(address: string): Promise<void> {
    this.#inside.blocked = BIND;
    const { reactor } = this.#channel.core;
    try {
      this.#checkOptions(address, ZAP_HANDLERS);
      // Neither resolving nor listening keeps every runtime's process alive.
      reactor.hold();
      const endpoint = await endpointToBind(
        reactor,
        this.#channel.pointer,
        address,
      ).finally(() => reactor.drop());
      if (endpoint.error) {
        const { code, cause } = endpoint.error;
        throw this.#error(code, { address, ...(cause && explain(cause)) });
      }
      let rc = -1, failure: HostError | undefined;
      try {
        rc = this.#native("zmq_bind", endpoint.address);
      } finally {
        failure = await endpoint.settle?.(rc >= 0);
      }
      if (rc < 0) {
        throw this.#error(failure?.code ?? codeOf(-rc), {
          address,
          ...(failure && explain(failure)),
        });
      }
      if (endpoint.address !== address) {
        this.#inside.endpoints.set(address, endpoint.address);
      }
      this.#inside.endpoints.set(endpoint.address, endpoint.address);
    } finally {
      this.#inside.blocked = undefined;
      if (this.#closing) this.close();
    }
  }

  /** Stops listening there. Rejects with ENOENT if nothing was bound so. */
  unbind(address: string): Promise<void> {
    this.#enter(address);
    return this.#unbind(address);
  }

  async #unbind(address: string): Promise<void> {
    this.#inside.blocked = BIND;
    await Promise.resolve();
    this.#inside.blocked = undefined;
    if (this.#closing) {
      this.close();
      return;
    }
    this.#end("zmq_unbind", address);
    this.#channel.core.reactor.pump();
  }

  /**
   * Connects, and connects again whenever the connection is lost; returns at once
   * (man zmq_connect). Throws EINVAL, EPROTONOSUPPORT, EACCES, EBADF.
   */
  connect(address: string): void {
    this.#enter(address);
    if (hasWrongPort(address)) throw this.#error("EINVAL", { address });
    this.#checkAllowed(address);
    this.#checkOptions(address, [this.type]);
    const rc = this.#native("zmq_connect", address);
    if (rc < 0) throw this.#error(-rc, { address });
    this.#inside.endpoints.set(address, address);
  }

  #checkOptions(address: string, handlerTypes: readonly number[]): void {
    const message = optionFault(this, address, handlerTypes);
    if (message !== undefined) {
      throw this.#error("EINVAL", { address, message });
    }
  }

  /** Throws EACCES if the runtime is known to forbid to connect there. */
  #checkAllowed(address: string): void {
    try {
      const { host } = this.#channel.core.reactor;
      checkConnect(host, address, this.socksProxy);
    } catch (cause) {
      const { code, message } = cause as { code: string; message: string };
      throw this.#error(code, { address, message, cause });
    }
  }

  /** Ends a connection made by `connect`. Throws ENOENT if there is none. */
  disconnect(address: string): void {
    this.#enter(address);
    this.#end("zmq_disconnect", address);
  }

  #end(name: "zmq_unbind" | "zmq_disconnect", address: string): void {
    const { endpoints } = this.#inside;
    const given = endpoints.get(address);
    const rc = this.#native(name, given ?? address);
    if (rc < 0) throw this.#error(-rc, { address });
    endpoints.delete(address);
    if (given !== undefined) endpoints.delete(given);
  }

  #native(name: string, address: string): number {
    const { reactor } = this.#channel.core;
    const { memory } = reactor.instance;
    const { pointer } = this.#channel;
    let rc = memory.withString(
      address,
      (text) => reactor.call(name, pointer, text),
    );
    if (rc < 0) rc = -reactor.call("zmq_errno");
    this.#channel.changed();
    return rc;
  }

  /**
   * Closes the socket: pending operations reject with EAGAIN, queued messages leave
   * within `linger` (man zmq_close). Closing again does nothing.
   */
  close(): void {
    if (this.#inside.blocked === BIND) this.#closing = true;
    else this.#channel.close();
  }

  /** Closes the socket, at the end of a `using` declaration. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the socket and waits until it is gone, with its messages or its `linger`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return this.#channel.gone();
  }

  /** What went through the socket since it was made. */
  get counters(): Readonly<Counters> {
    return { ...this.#channel.counters };
  }

  /** The channel, for an operation that may start now. Throws EBADF or EBUSY. */
  protected enter(): Channel {
    this.#enter();
    return this.#channel;
  }
}

/** What a failure of the host adds to an error whose code does not say all. */
function explain(
  failure: HostError,
): { message?: string; cause: Error } {
  return failure.code === "EADDRINUSE"
    ? { cause: failure }
    : { message: failure.message, cause: failure };
}

/** Gives a class the options as properties. */
export function defineOptions(
  target: { prototype: object },
  ...groups: Readonly<Record<string, Option>>[]
): void {
  for (const [name, option] of groups.flatMap((g) => Object.entries(g))) {
    const accessors = target.prototype as {
      getOption(option: Option): unknown;
      setOption(name: string, option: Option, value: unknown): void;
    };
    void accessors;
    Object.defineProperty(target.prototype, name, {
      enumerable: true,
      configurable: true,
      get: option.access === "w"
        ? () => undefined
        : function (this: typeof accessors) {
          return this.getOption(option);
        },
      set: option.access === "r"
        ? undefined
        : function (this: typeof accessors, value: unknown) {
          this.setOption(name, option, value);
        },
    });
  }
}

defineOptions(Socket, COMMON);

/** Every socket's options, typed; see man zmq_setsockopt for each. */
export interface Socket {
  readonly type: number;
  readonly lastEndpoint: string | null;
  readonly threadSafe: boolean;
  affinity: number;
  rate: number;
  recoveryInterval: number;
  linger: number;
  reconnectInterval: number;
  backlog: number;
  reconnectMaxInterval: number;
  maxMessageSize: number;
  tcpKeepalive: number;
  tcpKeepaliveCount: number;
  tcpKeepaliveIdle: number;
  tcpKeepaliveInterval: number;
  tcpAcceptFilter: string | null;
  immediate: boolean;
  ipv6: boolean;
  plainServer: boolean;
  plainUsername: string | null;
  plainPassword: string | null;
  curveServer: boolean;
  curvePublicKey: string | null;
  curveSecretKey: string | null;
  curveServerKey: string | null;
  zapDomain: string | null;
  typeOfService: number;
  handshakeInterval: number;
  heartbeatInterval: number;
  heartbeatTimeToLive: number;
  heartbeatTimeout: number;
  connectTimeout: number;
  tcpMaxRetransmitTimeout: number;
  interface: string | null;
  socksProxy: string | null;
  socksUsername: string | null;
  socksPassword: string | null;
  zapEnforceDomain: boolean;
}
