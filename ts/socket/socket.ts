/**
 * What all sockets share: their life, endpoints, options, sending and receiving.
 *
 * Operations try libzmq at once (always ZMQ_DONTWAIT); one that would block parks
 * and is tried again whenever libzmq signals the socket.
 */
import type { Client } from "../reactor/reactor.ts";
import { codeOf, errnoOf } from "../syscall/errno.ts";
import {
  type Context,
  context as defaultContext,
  type ContextCore,
  coreOf,
  zmqError,
} from "./context.ts";
import { endpointToBind } from "./endpoint.ts";
import type { MessageLike } from "./message.ts";
import { COMMON, type Option, SECURITY_MECHANISM } from "./options.ts";
import { getOption, setOption } from "./option_access.ts";

/** A received message: one `Buffer` (where there is none, `Uint8Array`) per frame. */
export type Message = Uint8Array;

interface Parked {
  attempt(): boolean;
  reject(error: Error): void;
  timer?: { cancel(): void };
}

const EAGAIN = -errnoOf("EAGAIN");
/** Messages fetched by one crossing. */
const PREFETCH = 256;
const RESOLVED: Promise<void> = Promise.resolve();

export abstract class Socket {
  readonly #core: ContextCore;
  readonly #context: Context;
  readonly #slot: number;
  readonly #client: Client;
  #pointer: number;
  #reader: Parked | undefined;
  #writer: Parked | undefined;
  #blocked = false;
  #closing = false;
  #queue: Message[][] = [];
  #queueAt = 0;
  #partial: Message[] = [];
  /** Names as bound by the user, and what libzmq was given instead. */
  readonly #aliases = new Map<string, string>();

  protected constructor(type: number, options: Record<string, unknown> = {}) {
    const { context = defaultContext, ...rest } = options as {
      context?: Context;
    };
    this.#context = context;
    this.#core = coreOf(context);
    const { reactor, pointer } = this.#core;
    this.#client = {
      ready: () => this.#ready(),
      fail: (error) => this.#fail(error),
    };
    this.#slot = reactor.add(this.#client);
    this.#pointer = reactor.call("zw_socket", pointer, type, this.#slot);
    if (this.#pointer === 0) {
      reactor.remove(this.#slot);
      throw zmqError(reactor.host, reactor.call("zmq_errno"));
    }
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
    return this.#pointer === 0;
  }

  /** Whether a message can be received without waiting. */
  get readable(): boolean {
    if (this.closed) return false;
    return this.#queueAt < this.#queue.length ||
      (this.#core.reactor.call("zw_events", this.#pointer) & 1) !== 0;
  }

  /** Whether a message can be sent without waiting. */
  get writable(): boolean {
    return !this.closed &&
      (this.#core.reactor.call("zw_events", this.#pointer) & 2) !== 0;
  }

  /** The mechanism in force: null, "plain" or "curve". */
  get securityMechanism(): null | "plain" | "curve" {
    const value = this.getOption({ id: SECURITY_MECHANISM, kind: "i32" });
    return ([null, "plain", "curve"] as const)[value as number] ?? null;
  }

  /** Reads an option of libzmq. Throws EBADF on a closed socket. */
  protected getOption(option: Option): unknown {
    this.#check();
    return getOption(this.#core.reactor, this.#pointer, option);
  }

  /** Sets an option of libzmq. Throws a TypeError or EINVAL with the value. */
  protected setOption(name: string, option: Option, value: unknown): void {
    this.#check();
    setOption(this.#core.reactor, this.#pointer, name, option, value);
    this.#core.reactor.touch();
  }

  #check(): void {
    if (this.#core.reactor.instance.dead) throw this.#core.reactor.instance.dead;
    if (this.closed) throw this.#error("EBADF");
  }

  #error(
    errno: number | string,
    details: { message?: string; address?: string; cause?: unknown } = {},
  ): Error {
    return zmqError(this.#core.reactor.host, errno, details);
  }

  #enter(address?: unknown): void {
    this.#check();
    if (this.#blocked) {
      throw this.#error("EBUSY", {
        message: "Socket is blocked by a bind or unbind operation",
      });
    }
    if (address !== undefined && typeof address !== "string") {
      throw new TypeError("Address must be a string");
    }
  }

  /**
   * Listens for peers at an endpoint such as `tcp://*:5555`, `tcp://127.0.0.1:*`,
   * `ipc:///tmp/jobs` or `inproc://workers` (man zmq_bind, zmq_tcp, zmq_ipc).
   * Rejects with EADDRINUSE, EADDRNOTAVAIL, EACCES, EINVAL, EPROTONOSUPPORT, ENODEV;
   * throws EBADF when closed.
   */
  async bind(address: string): Promise<void> {
    this.#enter(address);
    this.#blocked = true;
    try {
      const { reactor } = this.#core;
      const endpoint = await endpointToBind(reactor, this.#pointer, address);
      const { rc, failure } = endpoint.error === undefined
        ? this.#native("zmq_bind", endpoint.address, endpoint.target)
        : { rc: -endpoint.error, failure: undefined };
      if (rc < 0) {
        const code = failure?.code ?? codeOf(-rc);
        throw this.#error(code, {
          address,
          ...(failure ? { cause: failure } : {}),
        });
      }
      if (endpoint.address !== address) {
        this.#aliases.set(address, endpoint.address);
      }
    } finally {
      this.#blocked = false;
      if (this.#closing) this.close();
    }
  }

  /** Stops listening there. Rejects with ENOENT if nothing was bound so. */
  async unbind(address: string): Promise<void> {
    this.#enter(address);
    await RESOLVED;
    const { rc } = this.#native(
      "zmq_unbind",
      this.#aliases.get(address) ?? address,
    );
    if (rc < 0) throw this.#error(-rc, { address });
    this.#aliases.delete(address);
    this.#core.reactor.pump();
  }

  /**
   * Connects, and connects again whenever the connection is lost; returns at once
   * (man zmq_connect). Throws EINVAL, EPROTONOSUPPORT, EACCES, EBADF.
   */
  connect(address: string): void {
    this.#enter(address);
    const { host } = this.#core.reactor;
    const tcp = /^tcp:\/\/(?:[^;]*;)?\[?([^\]]*?)\]?:(\d+)$/.exec(address);
    if (tcp) {
      try {
        host.checkConnect({
          kind: "tcp",
          host: tcp[1]!,
          port: Number(tcp[2]),
          family: 0,
        });
      } catch (cause) {
        const { code, message } = cause as { code: string; message: string };
        throw this.#error(code, { address, message, cause });
      }
    }
    const { rc } = this.#native("zmq_connect", address);
    if (rc < 0) throw this.#error(-rc, { address });
  }

  /** Ends a connection made by `connect`. Throws ENOENT if there is none. */
  disconnect(address: string): void {
    this.#enter(address);
    const { rc } = this.#native("zmq_disconnect", address);
    if (rc < 0) throw this.#error(-rc, { address });
  }

  #native(
    name: string,
    address: string,
    target?: string,
  ): { rc: number; failure?: { code: string } | undefined } {
    const { reactor } = this.#core;
    const { instance } = reactor;
    let rc = instance.memory.withString(
      address,
      (ptr) => reactor.call(name, this.#pointer, ptr),
    );
    if (rc < 0) rc = -reactor.call("zmq_errno");
    const failure = target ? instance.fds.settle(target) : undefined;
    reactor.touch();
    return { rc, failure };
  }

  /**
   * Closes the socket: pending operations reject with EAGAIN, queued messages leave
   * within `linger` (man zmq_close). Closing again does nothing.
   */
  close(): void {
    if (this.closed) return;
    if (this.#blocked) {
      this.#closing = true;
      return;
    }
    const { reactor } = this.#core;
    const pointer = this.#pointer;
    this.#pointer = 0;
    this.#queue = [];
    reactor.remove(this.#slot);
    this.#fail(this.#error("EAGAIN"));
    if (reactor.instance.dead) return;
    reactor.call("zmq_close", pointer);
    reactor.touch();
  }

  // --- sending

  protected sendFrames(frames: MessageLike[]): Promise<void> {
    this.#enter();
    if (this.#writer) {
      throw this.#error("EBUSY", {
        message:
          "Socket is busy writing; only one send operation may be in progress at any time",
      });
    }
    if (frames.length === 0) return RESOLVED;
    const { reactor } = this.#core;
    let rc = this.#trySend(frames);
    if (rc === EAGAIN) {
      // Room may only be waiting for libzmq to look.
      reactor.pump();
      if (this.#pointer) rc = this.#trySend(frames);
    }
    if (rc >= 0) {
      reactor.touch(rc);
      return reactor.mustYield ? reactor.yield() : RESOLVED;
    }
    if (rc !== EAGAIN) return Promise.reject(this.#error(-rc));
    return this.#park("sendTimeout", (parked) => this.#writer = parked, () => {
      const rc = this.#trySend(frames);
      if (rc === EAGAIN) return undefined;
      if (rc < 0) throw this.#error(-rc);
      reactor.touch(rc);
      return { value: undefined };
    });
  }

  #trySend(frames: MessageLike[]): number {
    const { port } = this.#core;
    const last = frames.length - 1;
    let bytes = 0;
    for (let i = 0; i <= last; i++) {
      const rc = port.sendFrame(this.#pointer, frames[i]!, i < last);
      if (rc < 0) return rc;
      bytes += rc;
    }
    return bytes;
  }

  // --- receiving

  protected receiveFrames(): Promise<Message[]> {
    this.#enter();
    if (this.#reader) {
      throw this.#error("EBUSY", {
        message:
          "Socket is busy reading; only one receive operation may be in progress at any time",
      });
    }
    const { reactor } = this.#core;
    const rc = this.#fill();
    if (rc > 0) {
      const message = this.#shift();
      reactor.touch();
      return reactor.mustYield
        ? reactor.yield().then(() => message)
        : Promise.resolve(message);
    }
    if (rc < 0) return Promise.reject(this.#error(-rc));
    reactor.touch();
    return this.#park(
      "receiveTimeout",
      (parked) => this.#reader = parked,
      () => {
        const rc = this.#fill();
        if (rc < 0) throw this.#error(-rc);
        return rc === 0 ? undefined : { value: this.#shift() };
      },
    );
  }

  /** How many messages one crossing may take ahead; sockets with a state take one. */
  protected get prefetch(): number {
    return PREFETCH;
  }

  #fill(): number {
    const left = this.#queue.length - this.#queueAt;
    if (left > 0) return left;
    this.#queue = [];
    this.#queueAt = 0;
    return this.#core.port.receive(
      this.#pointer,
      this.#queue,
      this.#partial,
      this.prefetch,
    );
  }

  #shift(): Message[] {
    const message = this.#queue[this.#queueAt]!;
    this.#queue[this.#queueAt++] = [];
    return message;
  }

  // --- waiting

  #park<T>(
    timeoutName: string,
    place: (parked: Parked | undefined) => void,
    attempt: () => { value: T } | undefined,
  ): Promise<T> {
    const timeout = (this as unknown as Record<string, number>)[timeoutName]!;
    if (timeout === 0) return Promise.reject(this.#error("EAGAIN"));
    const { reactor } = this.#core;
    return new Promise((resolve, reject) => {
      const finish = () => {
        parked.timer?.cancel();
        place(undefined);
        reactor.drop();
      };
      const parked: Parked = {
        attempt() {
          try {
            const result = attempt();
            if (result === undefined) return false;
            finish();
            resolve(result.value);
          } catch (error) {
            finish();
            reject(error);
          }
          return true;
        },
        reject(error) {
          finish();
          reject(error);
        },
      };
      reactor.hold();
      place(parked);
      if (timeout > 0) {
        parked.timer = reactor.host.setTimer(() => {
          parked.reject(this.#error("EAGAIN"));
        }, timeout);
      }
    });
  }

  #ready(): void {
    this.#reader?.attempt();
    this.#writer?.attempt();
    // An operation of one side can swallow the signal meant for the other.
    if (!this.closed && (this.#reader || this.#writer)) {
      const events = this.#core.reactor.call("zw_events", this.#pointer);
      if (events & 1) this.#reader?.attempt();
      if (events & 2) this.#writer?.attempt();
    }
  }

  #fail(error: Error): void {
    this.#reader?.reject(error);
    this.#writer?.reject(error);
  }

  /** For `Proxy` and `Observer`: the reactor, libzmq's socket. */
  static internals(socket: Socket): { core: ContextCore; pointer: number } {
    return { core: socket.#core, pointer: socket.#pointer };
  }
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
  zapEnforceDomain: boolean;
}
