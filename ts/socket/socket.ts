/**
 * What all sockets share: their endpoints and options, on top of a channel.
 */
import * as C from "zeromq-wasm:constants";
import type { HostError } from "../host/host.ts";
import { codeOf } from "../syscall/errno.ts";
import { Channel } from "./channel.ts";
import { closeWhenCollected } from "./collect.ts";
import {
  type Context,
  context as defaultContext,
  coreOf,
  zmqError,
} from "./context.ts";
import type { Counters } from "./counters.ts";
import {
  type BindEndpoint,
  checkConnect,
  endpointToBind,
  endpointToBindSync,
  hasWrongPort,
  optionFault,
} from "./endpoint.ts";
import { assignOptions, defineOptions, setName } from "./define_options.ts";
import { Endpoints } from "./endpoints.ts";
import {
  ENTER,
  expose,
  GET_OPTION,
  type Internals,
  SET_OPTION,
} from "./internals.ts";
import { Observer } from "./observer.ts";
import { COMMON, type Option } from "./options.ts";
import { isAborted, type Wait } from "./parking.ts";
import { partIdle } from "./parting.ts";
import type { Properties } from "./properties.ts";
import { RawOptions } from "./raw_options.ts";
import { readOption, writeOption } from "./socket_options.ts";
import { methodsOf, typeOf } from "./types.ts";

const ZAP_HANDLERS = [C.ZMQ_REP, C.ZMQ_ROUTER];
const MECHANISMS = [null, "plain", "curve", "gssapi"] as const;
const BIND = "Socket is blocked by a bind or unbind operation";

export abstract class Socket extends RawOptions {
  // Set by the constructor, unless it returns a socket of another class.
  readonly #context!: Context;
  readonly #channel!: Channel;
  readonly #inside!: Internals;
  #closing = false;
  /** The last bind or unbind. */
  #blocking: Promise<void> = Promise.resolve();
  #events: Observer | undefined;

  /**
   * At run time, `new Socket(type)` makes a socket of that type, as in the native
   * package.
   */
  protected constructor(type: number, options: object = {}) {
    super();
    if (typeof type !== "number") {
      throw new TypeError("Socket type must be a number");
    }
    if (typeof options !== "object" || options === null) {
      throw new TypeError("Options must be an object");
    }
    if (new.target === Socket) {
      const Type = typeOf(type);
      if (Type) return new Type(options) as Socket;
    }
    const { context = defaultContext, ...rest } = options as {
      context?: Context;
    };
    this.#context = context;
    const core = coreOf(context);
    this.#channel = new Channel(core, type);
    core.register.add(this.#channel);
    this.#inside = {
      channel: this.#channel,
      blocked: undefined,
      endpoints: new Endpoints(),
      written: new Map(),
    };
    expose(this, this.#inside);
    closeWhenCollected(this, this.#channel);
    Object.defineProperties(this, methodsOf(type, this, Socket.prototype));
    Object.seal(this);
    try {
      assignOptions(this, rest);
    } catch (error) {
      this.#close();
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
  get securityMechanism(): null | "plain" | "curve" | "gssapi" {
    const value = this[GET_OPTION]({ id: C.ZMQ_MECHANISM, kind: "i32" });
    return MECHANISMS[value as number] ?? null;
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
  protected [GET_OPTION](option: Option): unknown {
    this.#check();
    return readOption(this.#inside, option);
  }

  /** Sets an option of libzmq. Throws a TypeError or EINVAL with the value. */
  protected [SET_OPTION](name: string, option: Option, value: unknown): void {
    this.#check();
    writeOption(this.#inside, name, option, value);
  }

  #check(): void {
    const { dead } = this.#channel.core.reactor.instance;
    if (dead) throw dead;
    if (this.#channel.closed) throw this.#error("EBADF");
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
   * Rejects with EADDRINUSE, EADDRNOTAVAIL, EACCES, EINVAL, EPROTONOSUPPORT, ENODEV,
   * or the reason of `signal`: then it does not listen; throws EBADF when closed.
   */
  bind(address: string, options?: Wait): Promise<void> {
    this.#enter(address);
    return this.#blocking = this.#bind(address, options?.signal);
  }

  async #bind(address: string, signal?: AbortSignal): Promise<void> {
    if (isAborted(signal)) throw signal!.reason;
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
        signal,
      ).finally(() => reactor.drop());
      if (signal?.aborted) {
        await endpoint.settle?.(false);
        throw signal.reason;
      }
      this.#checkEndpoint(address, endpoint);
      let rc = -1, failure: HostError | undefined;
      try {
        rc = this.#nativeBind(endpoint.address);
      } finally {
        failure = await endpoint.settle?.(rc >= 0);
      }
      this.#bound(address, endpoint.address, rc, failure);
    } finally {
      this.#inside.blocked = undefined;
      if (this.#closing) this.#close();
    }
  }

  /**
   * Like `bind`, but it is done when it returns. For `inproc` everywhere; for `tcp`,
   * `ipc` and `ws` where the runtime can listen synchronously (see docs/runtimes.md),
   * and with addresses and interfaces only, no host names. Throws what `bind` rejects
   * with, and ENOTSUP where it cannot be done.
   */
  bindSync(address: string): void {
    this.#enter(address);
    this.#checkOptions(address, ZAP_HANDLERS);
    const { core: { reactor }, pointer } = this.#channel;
    const endpoint = endpointToBindSync(reactor, pointer, address);
    this.#checkEndpoint(address, endpoint);
    let rc = -1, failure: HostError | undefined;
    try {
      rc = this.#nativeBind(endpoint.address);
    } finally {
      failure = endpoint.settle?.();
    }
    this.#bound(address, endpoint.address, rc, failure);
  }

  #nativeBind(address: string): number {
    const rc = this.#native("zmq_bind", address);
    if (rc >= 0 || !address.startsWith("inproc:")) return rc;
    if (codeOf(-rc) !== "EADDRINUSE") return rc;
    // A socket that was closed in this turn has the name until libzmq looks.
    this.#channel.core.reactor.pump();
    return this.#native("zmq_bind", address);
  }

  /** Throws what is wrong with an endpoint. */
  #checkEndpoint(address: string, { error }: Pick<BindEndpoint, "error">) {
    if (!error) return;
    const { code, cause } = error;
    throw this.#error(code, { address, ...(cause && explain(cause)) });
  }

  /** Takes note of what `zmq_bind` has done for an address, or throws its error. */
  #bound(
    address: string,
    real: string,
    rc: number,
    failure: HostError | undefined,
  ): void {
    if (rc < 0) {
      throw this.#error(failure?.code ?? codeOf(-rc), {
        address,
        ...(failure && explain(failure)),
      });
    }
    this.#inside.endpoints.add(address, real, this.lastEndpoint ?? real);
    this.#channel.listens ||= !address.startsWith("inproc:");
    this.#channel.core.outside?.bound(this.#channel, address);
  }

  /**
   * Stops listening there. Rejects with ENOENT if nothing was bound so; what was bound with a
   * wildcard or a name has the one that `lastEndpoint` told.
   */
  unbind(address: string): Promise<void> {
    this.#enter(address);
    return this.#blocking = this.#unbind(address);
  }

  async #unbind(address: string): Promise<void> {
    this.#inside.blocked = BIND;
    await Promise.resolve();
    this.#inside.blocked = undefined;
    if (this.#closing) {
      this.#close();
      return;
    }
    this.unbindSync(address);
  }

  /**
   * Like `unbind`, but it is done when it returns; on Deno the address is free some turns later.
   * Throws ENOENT.
   */
  unbindSync(address: string): void {
    this.#enter(address);
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
    this.#inside.endpoints.add(address);
    if (address.startsWith("inproc:")) {
      this.#channel.core.inproc.add(this.#channel.pointer, address);
    }
    this.#channel.core.outside?.connected(this.#channel, address);
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
    const channel = this.#channel;
    const ended = channel.core.outside?.end(channel, name, address);
    const rc = this.#native(name, endpoints.realOf(address));
    if (rc < 0 && !ended) throw this.#error(-rc, { address });
    if (address.startsWith("inproc:")) partIdle(channel, [address]);
    endpoints.delete(address);
  }

  #native(name: string, address: string): number {
    const { reactor } = this.#channel.core;
    const { instance } = reactor;
    const { pointer } = this.#channel;
    let rc = instance.memory.withString(address, (text) => {
      const call = () => reactor.call(name, pointer, text);
      return name === "zmq_bind" ? instance.resolving(address, call) : call();
    });
    if (rc < 0) rc = -reactor.call("zmq_errno");
    this.#channel.changed();
    return rc;
  }

  /**
   * Closes the socket: pending operations reject with EAGAIN, queued messages leave
   * within `linger` (man zmq_close). A bind or a proxy under way ends first. Closing again does
   * nothing.
   */
  close(): void {
    this.#close();
  }

  #close(): void {
    if (this.#inside.blocked !== undefined) this.#closing = true;
    else this.#channel.close();
  }

  /** Closes the socket, at the end of a `using` declaration. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the socket and waits until it is gone, with its messages or its `linger`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    const gone = () => this.#channel.gone();
    // A bind that is under way closes it when it is over.
    return this.closed ? gone() : this.#blocking.then(gone, gone);
  }

  /**
   * What the socket did since it was made, and how it is now; also of a closed one.
   * Nothing is done for it until somebody asks.
   *
   * @example
   * const { messagesSent, queuedToSend, connections } = socket.counters;
   * if (connections === 0) console.log(`${queuedToSend} messages wait for a peer`);
   */
  get counters(): Counters {
    return this.#channel.core.register.of(this.#channel);
  }

  /** The channel, for an operation that may start now. Throws EBADF or EBUSY. */
  protected [ENTER](): Channel {
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

setName(Socket, "Socket");
defineOptions(Socket, COMMON);

/** Every socket's options, typed; see man zmq_setsockopt for each. */
export interface Socket extends Properties {}
