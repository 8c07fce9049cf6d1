/**
 * What happens to the connections of a socket, as libzmq tells it
 * (man zmq_socket_monitor).
 */
import * as C from "zeromq-wasm:constants";
import { ZmqError } from "../errors.ts";
import { decoder } from "../host/text.ts";
import { Channel } from "./channel.ts";
import { closeWhenCollected } from "./collect.ts";
import { zmqError } from "./context.ts";
import { internalsOf } from "./internals.ts";
import type { Message } from "./message.ts";
import type { Socket } from "./socket.ts";

/** What an event of one type has besides its type. */
type Of<T extends string, More = unknown> = T extends string
  ? { type: T } & More
  : never;
interface Address {
  /** The endpoint concerned. Missing, against its type, where libzmq knows none. */
  address: string;
}
interface Failure<E> extends Address {
  error: E;
}

/** The codes of a handshake that went wrong: the peer's fault (ZMTP) or the handler's (ZAP). */
export type ProtocolErrorCode =
  | `ERR_ZMTP_${
    | "UNSPECIFIED"
    | "UNEXPECTED_COMMAND"
    | "INVALID_SEQUENCE"
    | "KEY_EXCHANGE"
    | "MALFORMED_COMMAND_UNSPECIFIED"
    | "MALFORMED_COMMAND_MESSAGE"
    | "MALFORMED_COMMAND_HELLO"
    | "MALFORMED_COMMAND_INITIATE"
    | "MALFORMED_COMMAND_ERROR"
    | "MALFORMED_COMMAND_READY"
    | "MALFORMED_COMMAND_WELCOME"
    | "INVALID_METADATA"
    | "CRYPTOGRAPHIC"
    | "MECHANISM_MISMATCH"}`
  | `ERR_ZAP_${
    | "UNSPECIFIED"
    | "MALFORMED_REPLY"
    | "BAD_REQUEST_ID"
    | "BAD_VERSION"
    | "INVALID_STATUS_CODE"
    | "INVALID_METADATA"}`;

/** An event of a socket. */
export type Event =
  | Of<
    | "accept"
    | "bind"
    | "connect"
    | "connect:delay"
    | "disconnect"
    | "handshake",
    Address
  >
  /** A connection or listener is closed; `error` tells why connecting failed. */
  | Of<"close", Address>
  | Of<"close", Failure<Error>>
  /** The next attempt to connect comes after `interval` milliseconds. */
  | Of<"connect:retry", Address & { interval: number }>
  | Of<
    "accept:error" | "bind:error" | "close:error" | "handshake:error:other",
    Failure<ZmqError>
  >
  /** The peer or the ZAP handler did not keep to the protocol. */
  | Of<
    "handshake:error:protocol",
    Failure<Error & { code: ProtocolErrorCode }>
  >
  /** A ZAP handler refused with status 300, 400 or 500. */
  | Of<"handshake:error:auth", Failure<Error & { status: 300 | 400 | 500 }>>
  /** The socket is closed; the last event. */
  | Of<"end">
  | Of<"unknown">;

export type EventType = Event["type"];
/** The event of one type. */
export type EventOfType<E extends EventType = EventType> = Extract<
  Event,
  { type: E }
>;

/** Who can be asked to tell of events. */
export interface EventSubscriber {
  on<E extends EventType>(
    type: E,
    listener: (data: EventOfType<E>) => void,
  ): EventSubscriber;
  off<E extends EventType>(
    type: E,
    listener: (data: EventOfType<E>) => void,
  ): EventSubscriber;
}

type Listener = (event: never) => void;

const PLAIN: ReadonlyMap<number, EventType> = new Map<number, EventType>([
  [C.ZMQ_EVENT_CONNECTED, "connect"],
  [C.ZMQ_EVENT_CONNECT_DELAYED, "connect:delay"],
  [C.ZMQ_EVENT_LISTENING, "bind"],
  [C.ZMQ_EVENT_ACCEPTED, "accept"],
  [C.ZMQ_EVENT_DISCONNECTED, "disconnect"],
  [C.ZMQ_EVENT_HANDSHAKE_SUCCEEDED, "handshake"],
]);
const FAILED: ReadonlyMap<number, EventType> = new Map<number, EventType>([
  [C.ZMQ_EVENT_BIND_FAILED, "bind:error"],
  [C.ZMQ_EVENT_ACCEPT_FAILED, "accept:error"],
  [C.ZMQ_EVENT_CLOSE_FAILED, "close:error"],
  [C.ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, "handshake:error:other"],
]);

/** ERR_ZMTP_… and ERR_ZAP_…, for one of libzmq's numbers. */
function protocolError(number: number): string | undefined {
  const found = Object.entries(C.protocolErrors).find(([, n]) => n === number);
  return found?.[0].replace("ZMQ_PROTOCOL_ERROR", "ERR");
}

const STATUS: Readonly<Record<number, string>> = {
  300: "Temporary error",
  400: "Authentication failure",
  500: "Internal error",
};

let serial = 0;

/** Calls `task` with what is referred to, if it still exists. */
function later<T extends object>(to: WeakRef<T>, task: (of: T) => void) {
  return (): void => {
    const of = to.deref();
    if (of) task(of);
  };
}

/**
 * Reads the events of a socket, one by one (`receive`, `for await`) or by listeners
 * (`on`); not both. A `receive` that waits keeps the process alive, but not its socket: one
 * that nobody refers to is closed when it is collected, and `end` is received.
 *
 * @example
 * for await (const event of socket.events) {
 *   console.log(event.type, "address" in event ? event.address : "");
 * }
 */
export class Observer {
  readonly #channel: Channel;
  /** Of the socket; the socket itself must not be held, or it would never be collected. */
  readonly #watched: Channel;
  #listeners: Map<EventType, Listener[]> | undefined;
  /** What the socket told at its end and nobody has read yet; see `#drain`. */
  #queue: Event[] = [];
  /** How many `receive`s are not settled. */
  #receiving = 0;
  /** What channels hold must not hold the observer, or it would never be collected. */
  readonly #drainLater = later(new WeakRef(this), (self) => self.#drain());

  /** @throws ZmqError EBADF if the socket is closed */
  constructor(socket: Socket) {
    const inside = internalsOf(socket);
    if (!inside) throw new TypeError("Socket must be a socket object");
    const { core, pointer } = this.#watched = inside.channel;
    const { reactor } = core;
    if (socket.closed) throw zmqError(reactor.host, "EBADF");
    this.#channel = new Channel(core, C.ZMQ_PAIR, "Observer");
    const endpoint = `inproc://zeromq-wasm.events.${++serial}`;
    const { memory } = reactor.instance;
    const failed = memory.withString(endpoint, (text) => {
      const all = C.ZMQ_EVENT_ALL;
      return reactor.call("zmq_socket_monitor", pointer, text, all) !== 0 ||
        reactor.call("zmq_connect", this.#channel.pointer, text) !== 0;
    });
    if (failed) {
      const errno = reactor.call("zmq_errno");
      this.#channel.close();
      throw zmqError(reactor.host, errno);
    }
    closeWhenCollected(this, this.#channel);
    // A socket has one monitor: whoever observed it before is at its end, too.
    this.#watched.afterClose?.();
    this.#watched.afterClose = this.#drainLater;
  }

  /**
   * At the end of the socket, takes what it still tells, and lets go of libzmq's
   * sockets for it: perhaps nobody ever reads that. Does not keep the process alive.
   */
  #drain(): void {
    const channel = this.#channel;
    if (this.#receiving > 0 || channel.closed) return;
    channel.divert({ ready: this.#drainLater, fail: () => {} });
    for (let message; (message = channel.fetch());) {
      const event = this.#decode(message);
      this.#queue.push(event);
      if (event.type === "end") channel.close();
    }
  }

  /** True after `close()`, and after the `end` event was read. */
  get closed(): boolean {
    return this.#channel.closed && this.#queue.length === 0;
  }

  /** Stops observing; a pending `receive` rejects with EAGAIN. */
  close(): void {
    this.#queue = [];
    if (this.closed) return;
    const { reactor } = this.#channel.core;
    // Another observer may have taken the place of this one.
    const isOurs = this.#watched.afterClose === this.#drainLater;
    if (isOurs && !this.#watched.closed && !reactor.instance.dead) {
      reactor.call("zmq_socket_monitor", this.#watched.pointer, 0, 0);
    }
    this.#channel.close();
  }

  /**
   * The next event. Throws EBADF when closed, EBUSY while another `receive` waits,
   * an Error after `on`.
   */
  receive(): Promise<Event> {
    if (this.#listeners) {
      throw new Error(
        "Observer is in event emitter mode. After a call to events.on() it " +
          "is not possible to read events with events.receive().",
      );
    }
    return this.#receive();
  }

  async #next(received: Promise<Message[]>): Promise<Event> {
    this.#receiving++;
    try {
      const event = this.#decode(await received);
      if (event.type === "end") this.#channel.close();
      return event;
    } finally {
      this.#receiving--;
      if (this.#watched.closed) this.#drain();
    }
  }

  #receive(): Promise<Event> {
    if (this.closed) throw zmqError(this.#channel.core.reactor.host, "EBADF");
    const event = this.#queue.shift();
    if (event) return Promise.resolve(event);
    this.#channel.divert(undefined);
    return this.#next(this.#channel.receive());
  }

  /** Events until the socket or the observer is closed. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    return {
      next: async () => {
        if (this.closed) return { value: undefined, done: true };
        try {
          return { value: await this.receive(), done: false };
        } catch (error) {
          if (this.closed && (error as ZmqError).code === "EAGAIN") {
            return { value: undefined, done: true };
          }
          throw error;
        }
      },
    };
  }

  /** Calls `listener` for each event of the type, from now on. */
  on<E extends EventType>(
    type: E,
    listener: (event: EventOfType<E>) => void,
  ): this {
    if (typeof listener !== "function") {
      throw new TypeError("Listener must be a function");
    }
    const listeners = this.#emitter();
    listeners.set(type, [...listeners.get(type) ?? [], listener]);
    return this;
  }

  /** Takes back one `on`. */
  off<E extends EventType>(
    type: E,
    listener: (event: EventOfType<E>) => void,
  ): this {
    const listeners = this.#emitter();
    const those = listeners.get(type) ?? [];
    const at = those.lastIndexOf(listener);
    if (at >= 0) listeners.set(type, those.filter((_, i) => i !== at));
    return this;
  }

  #emitter(): Map<EventType, Listener[]> {
    if (!this.#listeners) {
      this.#listeners = new Map();
      void this.#emit(this.#listeners);
    }
    return this.#listeners;
  }

  async #emit(listeners: Map<EventType, Listener[]>): Promise<void> {
    while (!this.closed) {
      let event: Event;
      try {
        event = await this.#receive();
      } catch (error) {
        // Closed by its owner, or the instance is dead, which the socket tells.
        const { dead } = this.#channel.core.reactor.instance;
        if (this.closed || error === dead) return;
        throw error;
      }
      for (const listener of listeners.get(event.type) ?? []) {
        listener(event as never);
      }
    }
  }

  #decode([head, name]: Message[]): Event {
    const { host, instance: { fds } } = this.#channel.core.reactor;
    const view = new DataView(head!.buffer, head!.byteOffset, head!.byteLength);
    const id = view.getUint16(0, true);
    const value = view.getUint32(2, true);
    const text = name ? decoder.decode(name) : "";
    const address = text === "" ? {} : { address: text };
    const make = (type: EventType, rest: object = {}) =>
      ({ type, ...address, ...rest }) as Event;
    const plain = PLAIN.get(id);
    if (plain) return make(plain);
    const failed = FAILED.get(id);
    if (failed) return make(failed, { error: zmqError(host, value) });
    switch (id) {
      case C.ZMQ_EVENT_CLOSED: {
        const error = fds.failures.get(value);
        return make("close", error ? { error } : {});
      }
      case C.ZMQ_EVENT_CONNECT_RETRIED:
        return make("connect:retry", { interval: value });
      case C.ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: {
        const code = protocolError(value) ?? "ERR_UNKNOWN";
        const kind = code.startsWith("ERR_ZAP") ? "ZAP" : "ZMTP";
        const message = `${kind} protocol error`;
        return make("handshake:error:protocol", {
          error: new ZmqError(code, value, { message }),
        });
      }
      case C.ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return make("handshake:error:auth", {
          error: Object.assign(new Error(STATUS[value] ?? "Refused"), {
            status: value,
          }),
        });
      case C.ZMQ_EVENT_MONITOR_STOPPED:
        return { type: "end" };
      default:
        return make("unknown");
    }
  }
}
