/**
 * What happens to the connections of a socket, as libzmq tells it
 * (man zmq_socket_monitor).
 */
import { constants } from "zeromq-wasm:constants";
import { ZmqError } from "../errors.ts";
import { codeOf } from "../syscall/errno.ts";
import { Channel } from "./channel.ts";
import { zmqError } from "./context.ts";
import { internalsOf } from "./internals.ts";
import type { Message } from "./message.ts";
import type { Socket } from "./socket.ts";

/** An event without more than its address. */
interface Plain<T extends string> {
  readonly type: T;
  readonly address: string;
}
/** An event with an error. */
interface Failed<T extends string> extends Plain<T> {
  readonly error: ZmqError;
}

/** An event of a socket. `address` is missing where libzmq knows none. */
export type Event =
  | Plain<
    "accept" | "bind" | "connect" | "connect:delay" | "disconnect" | "handshake"
  >
  /** A connection or listener is closed; `error` tells why connecting failed. */
  | Plain<"close"> & { readonly error?: Error }
  /** The next attempt to connect comes after `interval` milliseconds. */
  | Plain<"connect:retry"> & { readonly interval: number }
  | Failed<
    | "accept:error"
    | "bind:error"
    | "close:error"
    | "handshake:error:other"
    | "handshake:error:protocol"
  >
  /** A ZAP handler refused with status 300, 400 or 500. */
  | Plain<"handshake:error:auth"> & {
    readonly error: Error & { readonly status: number };
  }
  /** The socket is closed; the last event. */
  | { readonly type: "end" }
  | Plain<"unknown">;

export type EventType = Event["type"];
/** The event of one type. */
export type EventOfType<E extends EventType = EventType> = Extract<
  Event,
  { type: E }
>;

const C = constants;

const PLAIN: ReadonlyMap<number, EventType> = new Map<number, EventType>([
  [C["ZMQ_EVENT_CONNECTED"]!, "connect"],
  [C["ZMQ_EVENT_CONNECT_DELAYED"]!, "connect:delay"],
  [C["ZMQ_EVENT_LISTENING"]!, "bind"],
  [C["ZMQ_EVENT_ACCEPTED"]!, "accept"],
  [C["ZMQ_EVENT_DISCONNECTED"]!, "disconnect"],
  [C["ZMQ_EVENT_HANDSHAKE_SUCCEEDED"]!, "handshake"],
]);
const FAILED: ReadonlyMap<number, EventType> = new Map<number, EventType>([
  [C["ZMQ_EVENT_BIND_FAILED"]!, "bind:error"],
  [C["ZMQ_EVENT_ACCEPT_FAILED"]!, "accept:error"],
  [C["ZMQ_EVENT_CLOSE_FAILED"]!, "close:error"],
  [C["ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL"]!, "handshake:error:other"],
]);
/** ERR_ZMTP_… and ERR_ZAP_… by libzmq's number. */
const PROTOCOL_ERRORS: ReadonlyMap<number, string> = new Map(
  Object.entries(C).filter(([name]) => name.startsWith("ZMQ_PROTOCOL_ERROR_"))
    .map(([name, n]) => [n, name.replace("ZMQ_PROTOCOL_ERROR", "ERR")]),
);
const STATUS: Readonly<Record<number, string>> = {
  300: "Temporary error",
  400: "Authentication failure",
  500: "Internal error",
};

let serial = 0;

/**
 * Reads the events of a socket, one by one (`receive`, `for await`) or by listeners
 * (`on`); not both. A `receive` that waits keeps the process alive.
 *
 * @example
 * for await (const event of socket.events) {
 *   console.log(event.type, "address" in event ? event.address : "");
 * }
 */
export class Observer {
  readonly #channel: Channel;
  readonly #socket: Socket;
  #listeners: Map<EventType, Set<(event: never) => void>> | undefined;

  /** @throws ZmqError EBADF if the socket is closed */
  constructor(socket: Socket) {
    this.#socket = socket;
    const { channel: { core, pointer } } = internalsOf(socket);
    const { reactor } = core;
    if (socket.closed) throw zmqError(reactor.host, "EBADF");
    this.#channel = new Channel(core, C["ZMQ_PAIR"]!, "Observer");
    const endpoint = `inproc://zeromq-wasm.events.${++serial}`;
    const { memory } = reactor.instance;
    const failed = memory.withString(endpoint, (text) => {
      const all = C["ZMQ_EVENT_ALL"]!;
      return reactor.call("zmq_socket_monitor", pointer, text, all) !== 0 ||
        reactor.call("zmq_connect", this.#channel.pointer, text) !== 0;
    });
    if (failed) {
      const errno = reactor.call("zmq_errno");
      this.#channel.close();
      throw zmqError(reactor.host, errno);
    }
  }

  /** True after `close()`, and after the `end` event was read. */
  get closed(): boolean {
    return this.#channel.closed;
  }

  /** Stops observing; a pending `receive` rejects with EAGAIN. */
  close(): void {
    if (this.closed) return;
    const { reactor } = this.#channel.core;
    if (!this.#socket.closed && !reactor.instance.dead) {
      const { pointer } = internalsOf(this.#socket).channel;
      reactor.call("zmq_socket_monitor", pointer, 0, 0);
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
    const event = this.#decode(await received);
    if (event.type === "end") this.#channel.close();
    return event;
  }

  #receive(): Promise<Event> {
    if (this.closed) throw zmqError(this.#channel.core.reactor.host, "EBADF");
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
    const listeners = this.#emitter();
    let those = listeners.get(type);
    if (!those) listeners.set(type, those = new Set());
    those.add(listener);
    return this;
  }

  /** Takes back what `on` did. */
  off<E extends EventType>(
    type: E,
    listener: (event: EventOfType<E>) => void,
  ): this {
    this.#emitter().get(type)?.delete(listener);
    return this;
  }

  #emitter(): Map<EventType, Set<(event: never) => void>> {
    if (!this.#listeners) {
      this.#listeners = new Map();
      void this.#emit(this.#listeners);
    }
    return this.#listeners;
  }

  async #emit(
    listeners: Map<EventType, Set<(event: never) => void>>,
  ): Promise<void> {
    try {
      while (!this.closed) {
        const event = await this.#receive();
        for (const listener of listeners.get(event.type) ?? []) {
          listener(event as never);
        }
      }
    } catch (error) {
      // Closed by its owner, or the instance is dead, which the socket tells.
      const { dead } = this.#channel.core.reactor.instance;
      if (!this.closed && error !== dead) throw error;
    }
  }

  #decode([head, name]: Message[]): Event {
    const { host, instance: { fds } } = this.#channel.core.reactor;
    const view = new DataView(head!.buffer, head!.byteOffset, head!.byteLength);
    const id = view.getUint16(0, true);
    const value = view.getUint32(2, true);
    const text = name ? new TextDecoder().decode(name) : "";
    const address = text === "" ? {} : { address: text };
    const make = (type: EventType, rest: object = {}) =>
      ({ type, ...address, ...rest }) as Event;
    const plain = PLAIN.get(id);
    if (plain) return make(plain);
    const failed = FAILED.get(id);
    if (failed) return make(failed, { error: zmqError(host, value) });
    switch (id) {
      case C["ZMQ_EVENT_CLOSED"]: {
        const error = fds.failures.get(value);
        return make("close", error ? { error } : {});
      }
      case C["ZMQ_EVENT_CONNECT_RETRIED"]:
        return make("connect:retry", { interval: value });
      case C["ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL"]: {
        const code = PROTOCOL_ERRORS.get(value) ?? codeOf(value);
        const kind = code.startsWith("ERR_ZAP") ? "ZAP" : "ZMTP";
        const message = `${kind} protocol error`;
        return make("handshake:error:protocol", {
          error: new ZmqError(code, value, { message }),
        });
      }
      case C["ZMQ_EVENT_HANDSHAKE_FAILED_AUTH"]:
        return make("handshake:error:auth", {
          error: Object.assign(new Error(STATUS[value] ?? "Refused"), {
            status: value,
          }),
        });
      case C["ZMQ_EVENT_MONITOR_STOPPED"]:
        return { type: "end" };
      default:
        return make("unknown");
    }
  }
}
